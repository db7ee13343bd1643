namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// A strided view on bytes as a textbook has it: sizes, strides, an offset, and one element after the other. Slow and plain, so that
/// the code under test can be held against it.
/// </summary>
internal sealed record NaiveView(byte[] Storage, DType DType, long Offset, long[] Sizes, long[] Strides)
{
    public static NaiveView Contiguous(byte[] storage, DType dtype, params long[] sizes)
    {
        var strides = new long[sizes.Length];

        for (var (dim, stride) = (sizes.Length - 1, 1L); dim >= 0; stride *= sizes[dim], dim--)
        {
            strides[dim] = stride;
        }

        return new NaiveView(storage, dtype, 0, sizes, strides);
    }

    public NaiveView Permute(params int[] dims) =>
        this with { Sizes = [.. dims.Select(dim => Sizes[dim])], Strides = [.. dims.Select(dim => Strides[dim])] };

    /// <summary>[start:stop:step] along a dimension.</summary>
    public NaiveView Slice(int dim, long start, long stop, long step = 1)
    {
        long[] sizes = [.. Sizes], strides = [.. Strides];
        sizes[dim] = (stop - start + step - 1) / step;
        strides[dim] *= step;
        return this with { Offset = Offset + (start * Strides[dim]), Sizes = sizes, Strides = strides };
    }

    /// <summary>A new dimension along which everything repeats.</summary>
    public NaiveView Expand(int dim, long count) => this with
    {
        Sizes = [.. Sizes[..dim], count, .. Sizes[dim..]],
        Strides = [.. Strides[..dim], 0, .. Strides[dim..]],
    };

    /// <summary>Its elements in row-major order.</summary>
    public byte[] Read()
    {
        var itemSize = DType.GetItemSize();
        var count = Sizes.Aggregate(1L, (product, size) => product * size);
        var result = new byte[count * itemSize];
        var place = new long[Sizes.Length];

        for (var i = 0L; i < count; i++)
        {
            var element = Offset;

            for (var dim = 0; dim < place.Length; dim++)
            {
                element += place[dim] * Strides[dim];
            }

            for (var b = 0; b < itemSize; b++)
            {
                result[(i * itemSize) + b] = Storage[(element * itemSize) + b];
            }

            for (var dim = place.Length - 1; dim >= 0 && ++place[dim] == Sizes[dim]; dim--)
            {
                place[dim] = 0;
            }
        }

        return result;
    }

    /// <summary>The same for the code under test, the storage at some place in a source.</summary>
    public TensorView On(MemorySource source, long origin)
    {
        var storage = new StoredBytes { Source = source, Record = "0", Offset = origin, Length = Storage.Length };
        return new TensorView(storage, DType, Offset, new TensorShape(Sizes), Strides);
    }

    public override string ToString() =>
        $"{DType.GetTorchName()} ({string.Join(", ", Sizes)}) strides ({string.Join(", ", Strides)}) offset {Offset}";
}
