using System.Collections;
using System.Globalization;

namespace Fairseq2Llama;

/// <summary>The size of a tensor along each of its dimensions; a 0-d tensor has none. Prints as <c>2048x512</c>.</summary>
public sealed class TensorShape : IReadOnlyList<long>, IEquatable<TensorShape>
{
    private readonly long[] _sizes;

    /// <summary>Makes a shape.</summary>
    /// <exception cref="ArgumentException">A size is negative.</exception>
    /// <exception cref="OverflowException">The number of elements does not fit 64 bits.</exception>
    public TensorShape(params ReadOnlySpan<long> sizes)
    {
        _sizes = sizes.ToArray();
        ElementCount = 1;

        foreach (var size in sizes)
        {
            if (size < 0)
            {
                throw new ArgumentException($"A tensor can't have the size {size}.", nameof(sizes));
            }

            ElementCount = checked(ElementCount * size);
        }
    }

    /// <summary>The product of the sizes: 1 for a 0-d tensor, 0 where any size is 0.</summary>
    public long ElementCount { get; }

    /// <summary>The number of dimensions.</summary>
    public int Count => _sizes.Length;

    /// <summary>The size along dimension <paramref name="index"/>.</summary>
    public long this[int index] => _sizes[index];

    /// <summary>The same shape with another size along one dimension.</summary>
    public TensorShape With(int dim, long size)
    {
        var sizes = (long[])_sizes.Clone();
        sizes[dim] = size;
        return new TensorShape(sizes);
    }

    /// <inheritdoc/>
    public bool Equals(TensorShape? other) => other is not null && _sizes.AsSpan().SequenceEqual(other._sizes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TensorShape);

    /// <inheritdoc/>
    public override int GetHashCode() => _sizes.Aggregate(Count, HashCode.Combine);

    /// <summary><c>2048x512</c>; a 0-d tensor prints as <c>scalar</c>.</summary>
    public override string ToString() =>
        Count == 0 ? "scalar" : string.Join('x', _sizes.Select(size => size.ToString(CultureInfo.InvariantCulture)));

    /// <inheritdoc/>
    public IEnumerator<long> GetEnumerator() => ((IEnumerable<long>)_sizes).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
