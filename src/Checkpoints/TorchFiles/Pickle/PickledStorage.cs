using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>A storage as the pickle names it; where its bytes are, only the container knows.</summary>
/// <param name="key">Its key in the container: the record <c>data/KEY</c> of an archive.</param>
/// <param name="dtype">The element type of a typed storage; null for an UntypedStorage.</param>
/// <param name="length">Bytes.</param>
internal sealed class PickledStorage(string key, DTypeInfo? dtype, long length)
{
    public string Key => key;

    public DTypeInfo? DType => dtype;

    public long Length => length;

    public int ItemSize => dtype?.ItemSize ?? 1;
}
