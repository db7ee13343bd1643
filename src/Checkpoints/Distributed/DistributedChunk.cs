using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Distributed;

/// <summary>A box within a tensor, and where it is saved.</summary>
/// <param name="Offsets">Where it begins in the tensor, along each dim.</param>
/// <param name="Sizes">Its size along each dim.</param>
/// <param name="File">The file that it is in.</param>
/// <param name="Item">The bytes of that file that were saved for it.</param>
internal readonly record struct DistributedChunk(long[] Offsets, long[] Sizes, DataFile File, ByteRange Item)
{
    /// <summary>Its elements, where the metadata shows where they lie; otherwise the item is a file of torch.save in the file, which shows it.</summary>
    public TensorView? View { get; init; }

    /// <summary>Whether it has no elements. Ranks for which nothing of a tensor is left save such ones.</summary>
    public bool IsEmpty => Sizes.AsSpan().Contains(0);
}
