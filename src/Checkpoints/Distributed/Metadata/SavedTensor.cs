using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Distributed.Metadata;

/// <summary>TensorStorageMetadata: a whole tensor, and the chunks that it is saved in.</summary>
internal sealed class SavedTensor : SavedObject
{
    private SavedProperties? _properties;

    /// <summary>Its element type; null for one that no weight has.</summary>
    public DType? DType => _properties?.DType?.DType?.DType;

    /// <summary>What PyTorch calls that type.</summary>
    public string? DTypeName => _properties?.DType?.Name;

    /// <summary>Its shape.</summary>
    public long[]? Size { get; private set; }

    /// <summary>Its chunks, each a <see cref="SavedChunk"/>.</summary>
    public IReadOnlyList<object?> Chunks { get; private set; } = [];

    /// <summary>The same tensor with the chunks that the metadata of another rank has of it.</summary>
    public SavedTensor Join(SavedTensor other) => new() { _properties = _properties, Size = Size, Chunks = [.. Chunks, .. other.Chunks] };

    public override bool Set(string attribute, object? value)
    {
        switch (attribute, value)
        {
            case ("properties", SavedProperties properties):
                _properties = properties;
                return true;
            case ("size", long[] size):
                Size = size;
                return true;
            case ("chunks", PickleList { Items: var chunks }):
                Chunks = chunks;
                return true;
            default:
                return attribute is not ("properties" or "size" or "chunks");
        }
    }
}
