namespace Fairseq2Llama.Stores.Objects;

/// <summary>An object as it was found.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Version">Its ETag, which changes whenever the object is written.</param>
internal sealed record StoredObject(string Key, long Length, string Version)
{
    /// <summary>The length of an object of which a listing gives only the name.</summary>
    public const long UnknownLength = -1;

    /// <summary>The id of the export that wrote it. Listings do not have it.</summary>
    public string? Run { get; init; }

    /// <summary>How long ago it was written, by the clock of the store. Listings do not have it.</summary>
    public TimeSpan Age { get; init; }
}
