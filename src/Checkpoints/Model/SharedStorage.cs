namespace Fairseq2Llama.Model;

/// <summary>Takes tensors for the same that view the same elements of the same storages, as a tied output and the embeddings do: one set of weights.</summary>
internal sealed class SharedStorage : IEqualityComparer<CheckpointTensor>
{
    public static readonly SharedStorage Comparer = new();

    public bool Equals(CheckpointTensor? x, CheckpointTensor? y) =>
        ReferenceEquals(x, y) || (x is not null && y is not null && x.Copies[0].SequenceEqual(y.Copies[0]));

    public int GetHashCode(CheckpointTensor obj) => obj.Copies[0].Aggregate(0, HashCode.Combine);
}
