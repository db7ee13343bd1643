using System.Collections.Immutable;

namespace Fairseq2Llama.Tensors;

/// <summary>
/// Merging and splitting, as byte runs. The parts of a tensor are boxes that tile it; what is wanted is a slice of it, in row-major order.
/// </summary>
internal static class TensorSlicer
{
    /// <summary>All of a tensor.</summary>
    /// <param name="parts">They tile it.</param>
    public static ImmutableArray<RunBand> Whole(IReadOnlyList<TensorPart> parts)
    {
        if (parts is [var only])
        {
            return [RunBand.Of(ByteRuns.Of(only.Tensor))];
        }

        var filled = parts.Where(part => part.Tensor.Shape.ElementCount > 0).ToArray();
        var cuts = filled.SelectMany(part => new[] { part.Row, part.Row + part.Tensor.Shape[0] }).Distinct().Order().ToArray();

        return [.. cuts.Zip(cuts.Skip(1), (from, to) => Rows(filled, from, to - from))];
    }

    /// <summary>What of a tensor lies in a range along a dim.</summary>
    public static ImmutableArray<RunBand> Slice(IReadOnlyList<TensorPart> parts, int dim, long start, long length) =>
        Whole([.. parts.Select(part => part.Within(dim, start, length)).OfType<TensorPart>()]);

    /// <summary>Rows between two cuts, so that each part has all of them or none.</summary>
    private static RunBand Rows(TensorPart[] parts, long start, long count)
    {
        var columns = parts.Select(part => part.Within(0, start, count)).OfType<TensorPart>().OrderBy(part => part.Column).ToArray();

        return columns is [var only]
            ? RunBand.Of(ByteRuns.Of(only.Tensor))
            : new RunBand(count, [.. columns.Select(column => ByteRuns.OfRows(column.Tensor))]);
    }
}
