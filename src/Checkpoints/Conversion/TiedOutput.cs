using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Reading;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Conversion;

/// <summary>Whether the output projection of a model is its embedding table.</summary>
/// <param name="IsTied">Whether it is.</param>
/// <param name="Reason">How that is known, in a sentence.</param>
internal sealed record TiedOutput(bool IsTied, string Reason)
{
    /// <summary>
    /// A model is tied if it has no output projection, or if the two are equal, which can require reading both. What files and architectures
    /// say is not proof: fairseq2 before 0.5 saved tied models as two tensors, and training makes them different.
    /// </summary>
    /// <param name="tensors">Those of the model.</param>
    /// <param name="verification">Whether checksums count.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">They can't be read, or are damaged.</exception>
    public static TiedOutput Of(
        IReadOnlyCollection<CheckpointTensor> tensors, VerificationPolicy verification, CancellationToken cancellationToken) =>
        (Find(tensors, LlamaParameter.Embedding), Find(tensors, LlamaParameter.Output)) switch
        {
            (null, _) or (_, null) => new(true, "Output: tied to the embeddings, because the checkpoint has only one of them."),
            ({ } embedding, { } output) when SharedStorage.Comparer.Equals(embedding, output) =>
                new(true, $"Output: tied to the embeddings, because '{output.Name}' and '{embedding.Name}' share one storage."),
            ({ } embedding, { } output) when AreEqual(embedding, output, verification, cancellationToken) =>
                new(true, $"Output: tied to the embeddings, because '{output.Name}' and '{embedding.Name}' are bitwise equal."),
            ({ } embedding, { } output) => new(false, $"Output: kept, because '{output.Name}' differs from '{embedding.Name}'."),
        };

    private static CheckpointTensor? Find(IEnumerable<CheckpointTensor> tensors, LlamaParameter parameter) =>
        tensors.FirstOrDefault(tensor => tensor.ParsedName.Parameter == parameter);

    private static bool AreEqual(CheckpointTensor embedding, CheckpointTensor output, VerificationPolicy verification, CancellationToken cancellationToken)
    {
        if (embedding.DType != output.DType || !embedding.Shape.Equals(output.Shape)
            || (verification.ComparesChecksums && AreToldApartByChecksums(embedding, output)))
        {
            return false;
        }

        using var data = new TensorData([embedding, output], cancellationToken, verification);
        return new WindowReader(data, _ => { }).All(embedding, output, (left, right) => left.SequenceEqual(right));
    }

    private static bool AreToldApartByChecksums(CheckpointTensor embedding, CheckpointTensor output) =>
        embedding.ToStorage().UnchangedInput?.Crc32 is { } one && output.ToStorage().UnchangedInput?.Crc32 is { } other && one != other;
}
