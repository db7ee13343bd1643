namespace Fairseq2Llama.Distributed.Metadata;

/// <summary>ChunkStorageMetadata: a box within a tensor.</summary>
internal sealed class SavedChunk : SavedObject
{
    /// <summary>Where it begins in the tensor, along each dim.</summary>
    public long[]? Offsets { get; private set; }

    /// <summary>Its size along each dim.</summary>
    public long[]? Sizes { get; private set; }

    public override bool Set(string attribute, object? value)
    {
        switch (attribute, value)
        {
            case ("offsets", long[] offsets):
                Offsets = offsets;
                return true;
            case ("sizes", long[] sizes):
                Sizes = sizes;
                return true;
            default:
                return attribute is not ("offsets" or "sizes");
        }
    }
}
