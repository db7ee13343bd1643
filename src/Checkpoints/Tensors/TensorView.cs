namespace Fairseq2Llama.Tensors;

/// <summary>A view on a storage, as PyTorch's _rebuild_tensor functions describe it: all that is known of a tensor without its data.</summary>
/// <param name="Storage">Where its bytes are.</param>
/// <param name="DType">Its element type, which need not be the one the storage was made with.</param>
/// <param name="StorageOffset">The first element's place in the storage, in elements.</param>
/// <param name="Shape">Size along each dimension.</param>
/// <param name="Strides">Elements between neighbours along each dimension; 0 where the dimension is expanded.</param>
internal sealed record TensorView(StoredBytes Storage, DType DType, long StorageOffset, TensorShape Shape, IReadOnlyList<long> Strides)
{
    public long SizeInBytes => DTypeInfo.Of(DType).LengthOf(Shape.ElementCount);

    /// <summary>Elements of the storage from its first element to its last.</summary>
    public long Extent => Shape.ElementCount == 0 ? 0 : 1 + Shape.Sizes.Select((size, dim) => (size - 1) * Strides[dim]).Sum();

    /// <summary>Whether the elements lie one after the other in row-major order, as PyTorch's is_contiguous() says.</summary>
    public bool IsContiguous { get; } = AreContiguous(Shape, Strides);

    /// <summary>A range of it along a dim.</summary>
    public TensorView Narrow(int dim, long start, long length) =>
        new(Storage, DType, StorageOffset + (start * Strides[dim]), Shape.With(dim, length), Strides);

    /// <summary>One of its rows, without dim 0.</summary>
    public TensorView Select(long row) =>
        new(Storage, DType, StorageOffset + (row * Strides[0]), new TensorShape(Shape.Sizes.AsSpan()[1..]), [.. Strides.Skip(1)]);

    /// <summary>The same with whole blocks in the place of elements: rows of a quantized type are made of these, and other elements are blocks of their own.</summary>
    /// <exception cref="CheckpointException">A block would be torn.</exception>
    public TensorView InBlocks()
    {
        var size = DTypeInfo.Of(DType).ElementsPerBlock;

        if (size == 1 || Shape.ElementCount == 0)
        {
            return this;
        }

        var last = Shape.Count - 1;

        if (last < 0 || Strides[last] != 1 || Shape[last] % size != 0 || StorageOffset % size != 0 || Strides.Take(last).Any(stride => stride % size != 0))
        {
            throw new CheckpointException(
                CheckpointErrorCode.UnsupportedTensor,
                $"'{Storage.Record}' is {DType.GetTorchName()}, so that its rows are made of blocks of {size} elements, and one of the files would begin or end within a block. Choose another number of files.",
                Storage.Record);
        }

        return new TensorView(Storage, DType, StorageOffset / size, Shape.With(last, Shape[last] / size), [.. Strides.Take(last).Select(stride => stride / size), 1]);
    }

    /// <summary>Equal are two views of the same elements of the same storage under the same shape, as tied weights are.</summary>
    public bool Equals(TensorView? other) =>
        other is not null && Storage == other.Storage && DType == other.DType && StorageOffset == other.StorageOffset
        && Shape.Equals(other.Shape) && Strides.SequenceEqual(other.Strides);

    // Where a size is 1 the stride may be anything, so that without strides a file could make any number of tensors collide.
    public override int GetHashCode() => Strides.Aggregate(HashCode.Combine(Storage, DType, StorageOffset, Shape), HashCode.Combine);

    private static bool AreContiguous(TensorShape shape, IReadOnlyList<long> strides)
    {
        if (shape.ElementCount == 0)
        {
            return true;
        }

        var expected = 1L;

        for (var dim = shape.Count - 1; dim >= 0; dim--)
        {
            if (shape[dim] != 1 && strides[dim] != expected)
            {
                return false;
            }

            expected *= shape[dim];
        }

        return true;
    }
}
