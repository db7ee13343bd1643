using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>A tensor as the pickle describes it, not yet held against the container.</summary>
internal sealed record PickledTensor(PickledStorage Storage, DType DType, long StorageOffset, TensorShape Shape, long[] Strides)
{
    /// <summary>The tensor on its storage.</summary>
    /// <exception cref="CheckpointException">It reaches outside the storage.</exception>
    public TorchTensor On(TorchStorage storage, string file)
    {
        if (Shape.ElementCount > 0 && !Fits(storage.Length / DType.GetItemSize()))
        {
            throw CheckpointException.Corrupt(
                file,
                $"a tensor of shape {Shape} with strides ({string.Join(", ", Strides)}) at element {StorageOffset} reaches beyond its"
                + $" storage '{storage.Record}' of {storage.Length} bytes.");
        }

        return new TorchTensor(storage, DType, StorageOffset, Shape, Strides);
    }

    private bool Fits(long elements)
    {
        // 128 bits: sizes and strides come from the file and may be anything that fits 64.
        Int128 last = StorageOffset;

        for (var dim = 0; dim < Shape.Count; dim++)
        {
            last += (Int128)(Shape[dim] - 1) * Strides[dim];
        }

        return last < elements;
    }
}
