using System.Collections.Immutable;

namespace Fairseq2Llama.Distributed;

/// <summary>A tensor as the index describes it.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="DType">Its element type.</param>
/// <param name="Shape">The shape of all of it.</param>
/// <param name="Chunks">They tile it; by their places, without empty ones and without repetitions.</param>
internal sealed record DistributedTensor(string Name, DType DType, TensorShape Shape, ImmutableArray<DistributedChunk> Chunks)
{
    /// <param name="name">Its name.</param>
    /// <param name="dtype">Its element type.</param>
    /// <param name="shape">The shape of all of it.</param>
    /// <param name="chunks">In any order. Ranks that hold the same part may have saved it twice.</param>
    public static DistributedTensor Of(string name, DType dtype, TensorShape shape, List<DistributedChunk> chunks)
    {
        chunks.RemoveAll(chunk => chunk.IsEmpty);

        // Mostly they are in order: those of the first rank come first.
        if (!IsOrdered(chunks))
        {
            chunks.Sort(Compare);
        }

        return new DistributedTensor(name, dtype, shape, [.. chunks.Where((chunk, i) => i == 0 || !IsSame(chunk, chunks[i - 1]))]);
    }

    private static bool IsOrdered(List<DistributedChunk> chunks)
    {
        for (var i = 1; i < chunks.Count; i++)
        {
            if (Compare(chunks[i - 1], chunks[i]) > 0)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsSame(DistributedChunk one, DistributedChunk other) => Compare(one, other) == 0;

    private static int Compare(DistributedChunk left, DistributedChunk right) =>
        Compare(left.Offsets, right.Offsets) is not 0 and var order ? order : Compare(left.Sizes, right.Sizes);

    private static int Compare(long[] left, long[] right) => left.AsSpan().SequenceCompareTo(right);
}
