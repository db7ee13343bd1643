namespace Fairseq2Llama.Distributed.Metadata;

/// <summary>_StorageInfo of the writers to file systems: where a chunk, or saved bytes, lies.</summary>
internal sealed class SavedItem : SavedObject
{
    /// <summary>The file, relative to the folder.</summary>
    public string? File { get; private set; }

    /// <summary>Its first byte there.</summary>
    public long Offset { get; private set; }

    /// <summary>Bytes that it takes there.</summary>
    public long Length { get; private set; }

    /// <summary>Whether its bytes were transformed on their way, such as compressed.</summary>
    public bool IsTransformed { get; private set; }

    public override bool Set(string attribute, object? value)
    {
        switch (attribute, value)
        {
            case ("relative_path", string file):
                File = file;
                return true;
            case ("offset", long offset and >= 0):
                Offset = offset;
                return true;
            case ("length", long length and >= 0):
                Length = length;
                return true;
            case ("transform_descriptors", _):
                IsTransformed = value is not null;
                return true;
            default:
                return attribute is not ("relative_path" or "offset" or "length");
        }
    }
}
