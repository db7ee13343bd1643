using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>A tensor as the pickle describes it, not yet held against the container.</summary>
internal sealed class PickledTensor(PickledStorage storage, DType dtype, long storageOffset, TensorShape shape, long[] strides)
{
    public PickledStorage Storage => storage;

    /// <summary>The tensor on its storage.</summary>
    /// <exception cref="CheckpointException">It reaches outside the storage.</exception>
    public TensorView On(StoredBytes located, string file)
    {
        if (shape.ElementCount > 0 && !Fits(located.Length / dtype.GetItemSize()))
        {
            throw CheckpointException.Corrupt(
                file,
                $"a tensor of shape {shape} with strides ({string.Join(", ", strides)}) at element {storageOffset} reaches beyond its"
                + $" storage '{located.Record}' of {located.Length} bytes.");
        }

        return new TensorView(located, dtype, storageOffset, shape, strides);
    }

    private bool Fits(long elements)
    {
        // 128 bits: sizes and strides come from the file and may be anything that fits 64.
        Int128 last = storageOffset;

        for (var dim = 0; dim < shape.Count; dim++)
        {
            last += (Int128)(shape[dim] - 1) * strides[dim];
        }

        return last < elements;
    }
}
