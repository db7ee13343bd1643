namespace Fairseq2Llama.Planning;

/// <summary>What a storage of an export is made from.</summary>
/// <param name="Tensor">The tensor that it is, or a slice of it.</param>
/// <param name="HalfSplitHeadDim">The size of a head where the storage has the two rows of each rotary pair half a head apart; null for side by side.</param>
internal sealed record StorageOrigin(CheckpointTensor Tensor, int? HalfSplitHeadDim);
