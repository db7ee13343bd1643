namespace Fairseq2Llama;

/// <summary>What a manifest says of a file: of one of the checkpoint's, or of one that the checkpoint was made from.</summary>
/// <param name="Name">Its path within the folder, with slashes.</param>
/// <param name="SizeInBytes">Bytes of the file.</param>
/// <param name="Sha256">The SHA-256 of its content in lowercase hexadecimal digits; null if it is not known, because not all of the file was read.</param>
public sealed record ManifestFile(string Name, long SizeInBytes, string? Sha256)
{
    /// <summary>The ETag that a store or a web server had for it when it was read; null for local files.</summary>
    public string? ETag { get; init; }

    /// <summary><see cref="SizeInBytes"/>, under the name that tables have for it.</summary>
    public long Size => SizeInBytes;

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
