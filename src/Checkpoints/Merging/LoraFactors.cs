namespace Fairseq2Llama.Merging;

/// <summary>What is added to a weight: the product of two matrices, times a factor.</summary>
/// <param name="Left">As many rows as the weight, as many columns as the rank: B of a projection; of an embedding table A, transposed.</param>
/// <param name="Right">As many rows as the rank, as many columns as the weight: A of a projection; of an embedding table B, transposed.</param>
/// <param name="Scale">The factor.</param>
internal sealed record LoraFactors(CheckpointTensor Left, CheckpointTensor Right, float Scale)
{
    public long Rank => Right.Shape[0];
}
