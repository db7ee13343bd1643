using System.Collections.Immutable;

namespace Fairseq2Llama.Tensors;

/// <summary>A tensor that is a part of a larger one, of as many dims: a box in it.</summary>
internal readonly record struct TensorPart
{
    /// <param name="tensor">The part.</param>
    /// <param name="offsets">Where it begins along each dim of the whole, outermost first; 0 along those that are left out.</param>
    public TensorPart(TensorView tensor, params ReadOnlySpan<long> offsets)
    {
        Tensor = tensor;
        Offsets = ImmutableArray.Create(offsets.TrimEnd(0L));
    }

    /// <summary>The part.</summary>
    public TensorView Tensor { get; }

    /// <summary>
    /// Where it begins along each dim of the whole, up to the last dim that is not 0: most tensors are whole, and take no list. Compared as sequences,
    /// parts are in row-major order.
    /// </summary>
    public ImmutableArray<long> Offsets { get; }

    /// <summary>Where it begins along dim 0 of the whole.</summary>
    public long Row => OffsetAlong(0);

    /// <summary>Where it begins along a dim of the whole.</summary>
    public long OffsetAlong(int dim) => dim < Offsets.Length ? Offsets[dim] : 0;

    /// <summary>The same part of a whole in which it lies further along a dim.</summary>
    public TensorPart MovedBy(int dim, long distance) => With(Tensor, dim, OffsetAlong(dim) + distance);

    /// <summary>The part of it in a range of the whole along a dim, relative to that range; null if there is none.</summary>
    public TensorPart? Within(int dim, long start, long length)
    {
        // Empty shards of a matrix may have one dim.
        if (Tensor.Shape.ElementCount == 0)
        {
            return null;
        }

        var (offset, size) = (OffsetAlong(dim), Tensor.Shape[dim]);
        var from = Math.Max(start, offset);
        var to = Math.Min(start + length, offset + size);

        return from < to ? With(to - from == size ? Tensor : Tensor.Narrow(dim, from - offset, to - from), dim, from - start) : null;
    }

    /// <summary>What it has of one of its rows, in that row of the whole: without dim 0.</summary>
    public TensorPart AtRow(long row) => new(Tensor.Select(row), Offsets.AsSpan()[Math.Min(1, Offsets.Length)..]);

    public bool Equals(TensorPart other) => Tensor.Equals(other.Tensor) && Offsets.AsSpan().SequenceEqual(other.Offsets.AsSpan());

    public override int GetHashCode() => Offsets.Aggregate(Tensor.GetHashCode(), HashCode.Combine);

    private TensorPart With(TensorView tensor, int dim, long offset)
    {
        Span<long> offsets = stackalloc long[Math.Max(Offsets.Length, dim + 1)];
        Offsets.AsSpan().CopyTo(offsets);
        offsets[dim] = offset;
        return new TensorPart(tensor, offsets);
    }
}
