namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// A store of objects under keys with slashes, such as Azure Blob Storage and S3. It can't rename, and has no atomic operation on several
/// objects. It replaces one object atomically, and only if that is still the expected version. Several threads can use it at once.
/// </summary>
/// <remarks>Every member throws <see cref="UnauthorizedAccessException"/> if it isn't allowed and <see cref="IOException"/> if it fails.</remarks>
internal interface IObjectStore
{
    /// <summary>How an object is uploaded in parts.</summary>
    PartLimits Parts { get; }

    /// <summary>The name of a key in messages: an address without secrets.</summary>
    string AddressOf(string key);

    /// <summary>The objects and prefixes directly below a prefix.</summary>
    /// <param name="prefix">Empty, or ends with a slash.</param>
    ObjectListing List(string prefix);

    /// <summary>Asks for one object.</summary>
    /// <returns>Null where there is none.</returns>
    StoredObject? Find(string key);

    /// <summary>Fills a buffer with bytes of an object.</summary>
    /// <returns>False if it no longer exists in this version.</returns>
    bool TryRead(StoredObject source, long offset, Span<byte> buffer);

    /// <summary>Writes a small object.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="content">All of it.</param>
    /// <param name="run">The id of the export that writes it, stored with the object.</param>
    /// <param name="replaces">The version that it replaces; null if no object may be there.</param>
    /// <returns>Its version; null if something unexpected is there.</returns>
    string? TryPut(string key, ReadOnlySpan<byte> content, string run, string? replaces);

    /// <summary>Removes an object.</summary>
    /// <returns>False if something else is there by now, or nothing.</returns>
    bool TryDelete(string key, string version);

    /// <summary>Begins to upload an object in parts. Nobody sees it before it is complete.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="run">The id of the export that writes it, stored with the object.</param>
    IObjectUpload Begin(string key, string run);

    /// <summary>Whether objects of this store can become parts of those of another one without leaving it.</summary>
    bool CanCopyTo(IObjectStore other);

    /// <summary>Removes the uploaded parts of an object that was never completed.</summary>
    void DiscardUploads(string key);
}

/// <summary>An object that is being uploaded in parts. If it is not complete when this is disposed of, the parts are discarded.</summary>
internal interface IObjectUpload : IDisposable
{
    /// <summary>Uploads a part; called from several threads at once.</summary>
    /// <param name="number">Parts follow each other by their numbers, which begin with 1 and may leave some out.</param>
    /// <param name="bytes">The part.</param>
    void Upload(int number, ReadOnlySpan<byte> bytes);

    /// <summary>Makes a range of another object a part, inside the store.</summary>
    /// <returns>False where the store can't do that; then nothing has changed.</returns>
    bool TryCopy(int number, ObjectSource source, ByteRange range);

    /// <summary>Makes an object of the parts.</summary>
    /// <param name="replaces">As for <see cref="IObjectStore.TryPut"/>.</param>
    /// <returns>As there.</returns>
    string? TryComplete(string? replaces);
}

/// <summary>The objects and prefixes directly below a prefix.</summary>
/// <param name="Objects">Objects.</param>
/// <param name="Prefixes">The common beginnings of further keys, each with its final slash.</param>
internal sealed record ObjectListing(IReadOnlyList<StoredObject> Objects, IReadOnlyList<string> Prefixes);

/// <summary>An object as it was found.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Version">Its ETag, which changes whenever the object is written.</param>
internal sealed record StoredObject(string Key, long Length, string Version)
{
    /// <summary>The id of the export that wrote it. Listings do not have it.</summary>
    public string? Run { get; init; }

    /// <summary>How long ago it was written, by the clock of the store. Listings do not have it.</summary>
    public TimeSpan Age { get; init; }
}

/// <summary>How an object is uploaded in parts.</summary>
/// <param name="MinLength">Bytes that a part must have, but for the last one.</param>
/// <param name="Length">Bytes that a part usually has.</param>
/// <param name="MaxCopyLength">Bytes that a part may have that is copied inside the store.</param>
/// <param name="MaxCount">The largest number that a part may have.</param>
internal sealed record PartLimits(long MinLength, long Length, long MaxCopyLength, int MaxCount);
