using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>A storage as the pickle names it; where its bytes are, only the container knows.</summary>
/// <param name="Key">Its key in the container: the record <c>data/KEY</c> of an archive.</param>
/// <param name="DType">The element type of a typed storage; null for an UntypedStorage.</param>
/// <param name="Length">Bytes.</param>
internal sealed record PickledStorage(string Key, DTypeInfo? DType, long Length)
{
    public int ItemSize => DType?.ItemSize ?? 1;
}
