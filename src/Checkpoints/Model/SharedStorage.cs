using System.Runtime.CompilerServices;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Model;

/// <summary>Takes tensors for the same that view the same elements of the same storages, as a tied output and the embeddings do: one set of weights.</summary>
internal sealed class SharedStorage : IEqualityComparer<CheckpointTensor>
{
    public static readonly SharedStorage Comparer = new();

    /// <summary>Whether both output and embeddings are there and are one in the files, too.</summary>
    /// <param name="tensors">Those of a model.</param>
    public static bool IsOutputTied(IReadOnlyCollection<CheckpointTensor> tensors) =>
        tensors.FirstOrDefault(tensor => tensor.ParsedName.Parameter == LlamaParameter.Output) is { } output
        && tensors.Any(tensor => tensor.ParsedName.Parameter == LlamaParameter.Embedding && Comparer.Equals(tensor, output));

    /// <summary>Where the index does not say where tensors lie, each was saved by itself.</summary>
    public bool Equals(CheckpointTensor? x, CheckpointTensor? y) =>
        ReferenceEquals(x, y) || (x is { IsLocated: true } && y is { IsLocated: true } && x.Copies[0].SequenceEqual(y.Copies[0]));

    public int GetHashCode(CheckpointTensor obj) => obj.IsLocated ? obj.Copies[0].Aggregate(0, HashCode.Combine) : RuntimeHelpers.GetHashCode(obj);
}
