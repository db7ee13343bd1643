namespace Fairseq2Llama.Distributed.Metadata;

/// <summary>MetadataIndex: which chunk of which tensor something is about. Its hint, <c>index</c>, is no part of the key.</summary>
internal sealed class SavedKey : SavedObject
{
    /// <summary>The name of the tensor, or of saved bytes.</summary>
    public string? Name { get; private set; }

    /// <summary>Where the chunk begins; null for saved bytes.</summary>
    public long[]? Offsets { get; private set; }

    public override bool Set(string attribute, object? value)
    {
        switch (attribute, value)
        {
            case ("fqn", string name):
                Name = name;
                return true;
            case ("offset", long[] offsets):
                Offsets = offsets;
                return true;
            case ("offset", null):
                return true;
            default:
                return attribute is not ("fqn" or "offset");
        }
    }
}
