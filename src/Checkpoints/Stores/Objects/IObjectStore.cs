namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// What keeps objects under keys with slashes in them, as Azure Blob Storage and S3 do. There is no renaming and no atomic operation over several
/// objects; but one object is replaced all at once, and only if it still is what it is expected to be. Serves several threads at once.
/// </summary>
/// <remarks>Whatever is asked for throws <see cref="UnauthorizedAccessException"/> where it isn't allowed and <see cref="IOException"/> where it fails.</remarks>
internal interface IObjectStore
{
    /// <summary>How an object is uploaded in parts.</summary>
    PartLimits Parts { get; }

    /// <summary>What to call a key in messages: an address without secrets.</summary>
    string AddressOf(string key);

    /// <summary>What is right below a prefix.</summary>
    /// <param name="prefix">Empty, or ends with a slash.</param>
    ObjectListing List(string prefix);

    /// <summary>Asks for one object.</summary>
    /// <returns>Null where there is none.</returns>
    StoredObject? Find(string key);

    /// <summary>Fills a buffer with bytes of an object.</summary>
    /// <returns>False where it is no longer there in this version.</returns>
    bool TryRead(StoredObject source, long offset, Span<byte> buffer);

    /// <summary>Writes a small object.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="content">All of it.</param>
    /// <param name="run">What it will tell of who has written it.</param>
    /// <param name="replaces">The version that it takes the place of; null where none may be there.</param>
    /// <returns>Its version; null where something else is there than expected.</returns>
    string? TryPut(string key, ReadOnlySpan<byte> content, string run, string? replaces);

    /// <summary>Removes an object.</summary>
    /// <returns>False where something else is there by now; also where nothing is.</returns>
    bool TryDelete(string key, string version);

    /// <summary>Begins to upload an object in parts. Nobody sees it before it is complete.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="run">What it will tell of who has written it.</param>
    IObjectUpload Begin(string key, string run);

    /// <summary>Whether objects of this store can become parts of those of another one without leaving it.</summary>
    bool CanCopyTo(IObjectStore other);

    /// <summary>Takes away what was uploaded of an object by whoever did not complete it.</summary>
    void DiscardUploads(string key);
}

/// <summary>An object that is being uploaded in parts. What is not complete is discarded once this is disposed of.</summary>
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

/// <summary>What is right below a prefix.</summary>
/// <param name="Objects">Objects.</param>
/// <param name="Prefixes">What further keys have in common, with the slash at its end.</param>
internal sealed record ObjectListing(IReadOnlyList<StoredObject> Objects, IReadOnlyList<string> Prefixes);

/// <summary>An object as it was found.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Version">Another one as soon as it is written again; its ETag.</param>
internal sealed record StoredObject(string Key, long Length, string Version)
{
    /// <summary>What it tells of who has written it. Listings do not tell.</summary>
    public string? Run { get; init; }

    /// <summary>How long ago it was written, by the clock of the store. Listings do not tell.</summary>
    public TimeSpan Age { get; init; }
}

/// <summary>How an object is uploaded in parts.</summary>
/// <param name="MinLength">Bytes that a part must have, but for the last one.</param>
/// <param name="Length">Bytes that a part usually has.</param>
/// <param name="MaxCopyLength">Bytes that a part may have that is copied inside the store.</param>
/// <param name="MaxCount">The largest number that a part may have.</param>
internal sealed record PartLimits(long MinLength, long Length, long MaxCopyLength, int MaxCount);
