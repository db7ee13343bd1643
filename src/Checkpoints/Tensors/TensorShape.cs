using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Fairseq2Llama;

/// <summary>
/// The size of a tensor along each of its dimensions. Prints as <c>2048x512</c>, compares with such text, and sorts by its elements. It is no
/// collection: PowerShell would take one apart when it is printed or compared.
/// </summary>
[SuppressMessage("Design", "CA1036", Justification = "Commands that sort ask for IComparable; two shapes of as many elements are neither smaller nor the same.")]
public sealed class TensorShape : IEquatable<TensorShape>, IComparable
{
    private const string Scalar = "scalar";

    /// <summary>Makes a shape.</summary>
    /// <param name="sizes">The sizes, outermost first; none for a 0-d tensor.</param>
    /// <exception cref="ArgumentException">A size is negative.</exception>
    /// <exception cref="OverflowException">The number of elements does not fit 64 bits.</exception>
    public TensorShape(params ReadOnlySpan<long> sizes)
    {
        Sizes = [.. sizes];
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

    /// <summary>The sizes, outermost first.</summary>
    public ImmutableArray<long> Sizes { get; }

    /// <summary>The product of the sizes: 1 for a 0-d tensor, 0 where any size is 0.</summary>
    public long ElementCount { get; }

    /// <summary>The number of dimensions.</summary>
    internal int Count => Sizes.Length;

    /// <summary>The size along dimension <paramref name="index"/>.</summary>
    public long this[int index] => Sizes[index];

    /// <summary>Reads what <see cref="ToString"/> writes; PowerShell does so to compare a shape with text.</summary>
    /// <exception cref="FormatException">It is not a shape.</exception>
    /// <exception cref="OverflowException">A size, or the number of elements, does not fit 64 bits.</exception>
    public static TensorShape Parse(string text) => text == Scalar
        ? new TensorShape()
        : new TensorShape([.. text.Split('x').Select(size => long.Parse(size, NumberStyles.None, CultureInfo.InvariantCulture))]);

    /// <summary>The same shape with another size along one dimension.</summary>
    public TensorShape With(int dim, long size) => new(Sizes.SetItem(dim, size).AsSpan());

    /// <summary>Elements between neighbours along each dimension when no gap is between any. As in PyTorch a size of 0 counts as 1.</summary>
    /// <exception cref="OverflowException">One does not fit 64 bits, which takes a size of 0.</exception>
    internal long[] RowMajorStrides()
    {
        var strides = new long[Count];

        for (var dim = Count - 1; dim >= 0; dim--)
        {
            strides[dim] = dim == Count - 1 ? 1 : checked(strides[dim + 1] * Math.Max(this[dim + 1], 1));
        }

        return strides;
    }

    /// <inheritdoc/>
    public bool Equals(TensorShape? other) => other is not null && Sizes.AsSpan().SequenceEqual(other.Sizes.AsSpan());

    /// <summary>By the number of elements, then by the sizes from the outermost one.</summary>
    /// <exception cref="ArgumentException">The other is not a shape.</exception>
    public int CompareTo(object? obj)
    {
        if (obj is null)
        {
            return 1;
        }

        var other = obj as TensorShape ?? throw new ArgumentException($"A {obj.GetType().Name} is not a shape.", nameof(obj));
        var order = ElementCount.CompareTo(other.ElementCount);
        return order != 0 ? order : Sizes.AsSpan().SequenceCompareTo(other.Sizes.AsSpan());
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TensorShape);

    /// <inheritdoc/>
    public override int GetHashCode() => Sizes.Aggregate(Count, HashCode.Combine);

    /// <summary><c>2048x512</c>; a 0-d tensor prints as <c>scalar</c>.</summary>
    public override string ToString() =>
        Count == 0 ? Scalar : string.Join('x', Sizes.Select(size => size.ToString(CultureInfo.InvariantCulture)));
}
