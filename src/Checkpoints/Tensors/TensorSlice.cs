using System.Collections.Immutable;

namespace Fairseq2Llama.Tensors;

/// <summary>
/// Merging and splitting: a tensor, or what lies in a range of it along a dim, made of parts that tile it. Equal slices are the same
/// elements of the same storages under the same shape.
/// </summary>
internal sealed class TensorSlice : IEquatable<TensorSlice>
{
    /// <param name="parts">They tile it.</param>
    /// <param name="shape">Its shape.</param>
    public TensorSlice(ImmutableArray<TensorPart> parts, TensorShape shape)
    {
        Parts = parts;
        Shape = shape;
    }

    public TensorShape Shape { get; }

    /// <summary>They tile it.</summary>
    public ImmutableArray<TensorPart> Parts { get; }

    /// <summary>The slice in a range along a dim.</summary>
    public TensorSlice Narrow(int dim, long start, long length) => new(
        [.. Parts.Select(part => part.Within(dim, start, length)).OfType<TensorPart>()], Shape.With(dim, length));

    /// <summary>Its elements in row-major order, as byte runs.</summary>
    /// <param name="dtype">Their type.</param>
    /// <param name="castTo">The type that they are to have, if another.</param>
    public PlannedStorage ToStorage(DType dtype, DType? castTo = null) => new(castTo ?? dtype, ToBands(), dtype);

    public bool Equals(TensorSlice? other) => other is not null && Shape.Equals(other.Shape) && Parts.AsSpan().SequenceEqual(other.Parts.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as TensorSlice);

    // A model has thousands of tensors of one shape. Only their positions distinguish them.
    public override int GetHashCode() => Parts.Aggregate(Shape.GetHashCode(), HashCode.Combine);

    private ImmutableArray<RowBlock> ToBands()
    {
        if (Parts is [var only])
        {
            return [RowBlock.Of(ByteRuns.Of(only.Tensor))];
        }

        var filled = Parts.Where(part => part.Tensor.Shape.ElementCount > 0).ToArray();
        var cuts = filled.SelectMany(part => new[] { part.Row, part.Row + part.Tensor.Shape[0] }).Distinct().Order().ToArray();
        var pending = new Queue<TensorPart>(filled.OrderBy(part => part.Row));
        var current = new List<TensorPart>();
        var bands = ImmutableArray.CreateBuilder<RowBlock>(Math.Max(0, cuts.Length - 1));

        // From cut to cut, with only those parts in hand that have rows there: of a thousand files most have none.
        foreach (var (from, to) in cuts.Zip(cuts.Skip(1)))
        {
            current.RemoveAll(part => part.Row + part.Tensor.Shape[0] <= from);

            while (pending.TryPeek(out var next) && next.Row <= from)
            {
                current.Add(pending.Dequeue());
            }

            bands.Add(ToBand(current, from, to - from));
        }

        return bands.DrainToImmutable();
    }

    /// <summary>Rows between two cuts, so that each part has all of them or none.</summary>
    private static RowBlock ToBand(IEnumerable<TensorPart> parts, long start, long count)
    {
        var columns = parts.Select(part => part.Within(0, start, count)).OfType<TensorPart>().OrderBy(part => part.OffsetAlong(1)).ToArray();

        return columns is [var only]
            ? RowBlock.Of(ByteRuns.Of(only.Tensor))
            : new RowBlock(count, [.. columns.Select(column => ByteRuns.OfRows(column.Tensor))]);
    }
}
