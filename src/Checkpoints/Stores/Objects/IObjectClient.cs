namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// A store as its SDK sees it: each call is one request, and says what the store answered. Calls neither retry nor check what a reply claims;
/// RemoteStore does, in one place for all stores. Several threads can use it at once.
/// </summary>
/// <remarks>
/// Every call throws <see cref="StoreException"/> if the store refuses or fails, and <see cref="OperationCanceledException"/> only if its token is
/// cancelled.
/// </remarks>
internal interface IObjectClient
{
    /// <summary>Whether anything can be written to it.</summary>
    bool CanWrite => true;

    /// <summary>How an object is uploaded in parts.</summary>
    PartLimits Parts { get; }

    /// <summary>The name of a key in messages: an address without secrets.</summary>
    /// <param name="key">Empty for the whole store.</param>
    string AddressOf(string key);

    /// <summary>The objects and prefixes directly below a prefix, a page at a time.</summary>
    /// <param name="prefix">Empty, or ends with a slash.</param>
    /// <param name="continuation">Null for the first page; then what the previous page says.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<ObjectPage> ListAsync(string prefix, string? continuation, CancellationToken cancellationToken);

    /// <summary>Asks for one object.</summary>
    /// <returns>Null where there is none.</returns>
    Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken);

    /// <summary>Asks for a range of an object, on the condition that it still has its version.</summary>
    /// <returns>The reply, whose body is read by the caller.</returns>
    /// <exception cref="StoreException"><see cref="StoreFailure.Changed"/> if it has another version, or is gone.</exception>
    Task<RangeReply> ReadAsync(StoredObject source, ByteRange range, CancellationToken cancellationToken);

    /// <summary>Writes an object in one request.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="content">All of it.</param>
    /// <param name="run">The id of the export that writes it, stored with the object as metadata.</param>
    /// <param name="replaces">The version that it replaces; null if no object may be there.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Its version.</returns>
    /// <exception cref="StoreException"><see cref="StoreFailure.Changed"/> if something unexpected is there.</exception>
    Task<string> PutAsync(string key, ReadOnlyMemory<byte> content, string run, string? replaces, CancellationToken cancellationToken);

    /// <summary>Removes an object.</summary>
    /// <exception cref="StoreException"><see cref="StoreFailure.Changed"/> if it has another version, or is gone.</exception>
    Task DeleteAsync(string key, string version, CancellationToken cancellationToken);

    /// <summary>Begins to upload an object in parts. Nobody sees it before it is complete.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="run">As for <see cref="PutAsync"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The id of the upload.</returns>
    Task<string> BeginAsync(string key, string run, CancellationToken cancellationToken);

    /// <summary>Uploads a part with its checksum, which the store compares.</summary>
    /// <param name="key">The key of the object.</param>
    /// <param name="upload">The id of the upload.</param>
    /// <param name="number">Parts follow each other by their numbers, which begin with 1 and may leave some out. A part replaces an earlier one of its number.</param>
    /// <param name="bytes">The part.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What is needed of the part to complete the upload.</returns>
    Task<string> UploadAsync(string key, string upload, int number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Makes a range of another object a part, inside the store, on the condition that the other object still has its version.</summary>
    /// <param name="key">The key of the object.</param>
    /// <param name="upload">The id of the upload.</param>
    /// <param name="number">As for <see cref="UploadAsync"/>.</param>
    /// <param name="from">The store of the other object; <see cref="CanCopyFrom"/> says whether that is possible.</param>
    /// <param name="source">The other object.</param>
    /// <param name="range">The range.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>As for <see cref="UploadAsync"/>; null where the store can't copy, or not from there.</returns>
    /// <exception cref="StoreException"><see cref="StoreFailure.Changed"/> if the other object has another version, or is gone.</exception>
    Task<string?> CopyAsync(
        string key, string upload, int number, IObjectClient from, StoredObject source, ByteRange range, CancellationToken cancellationToken);

    /// <summary>Makes an object of the parts.</summary>
    /// <param name="key">The key of the object.</param>
    /// <param name="upload">The id of the upload.</param>
    /// <param name="run">As for <see cref="PutAsync"/>.</param>
    /// <param name="parts">The parts by ascending numbers.</param>
    /// <param name="replaces">As for <see cref="PutAsync"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The version of the object.</returns>
    /// <exception cref="StoreException"><see cref="StoreFailure.Changed"/> if something unexpected is there.</exception>
    Task<string> CompleteAsync(
        string key, string upload, string run, IReadOnlyList<UploadedPart> parts, string? replaces, CancellationToken cancellationToken);

    /// <summary>Discards the parts of an upload; nothing happens if there are none.</summary>
    Task DiscardAsync(string key, string upload, CancellationToken cancellationToken);

    /// <summary>The ids of the unfinished uploads of an object, of any export.</summary>
    Task<IReadOnlyList<string>> FindUploadsAsync(string key, CancellationToken cancellationToken);

    /// <summary>Whether objects of another store can become parts of those of this one without leaving the store: the same account, or the same service.</summary>
    bool CanCopyFrom(IObjectClient other);
}

/// <summary>A part of an object that has been uploaded.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Token">What the store calls it.</param>
internal readonly record struct UploadedPart(int Number, string Token);

/// <summary>A page of a listing.</summary>
/// <param name="Objects">Objects.</param>
/// <param name="Prefixes">The common beginnings of further keys, each with its final slash.</param>
/// <param name="Continuation">Where the next page begins; null after the last.</param>
internal sealed record ObjectPage(IReadOnlyList<StoredObject> Objects, IReadOnlyList<string> Prefixes, string? Continuation);

/// <summary>What a store answered when it was asked for a range. Nothing of it is to be believed yet.</summary>
/// <param name="Status">The status of HTTP: 206 for a range, 200 for the whole object.</param>
/// <param name="ContentRange">The value of the header of that name; null without it.</param>
/// <param name="Version">The ETag; null without one.</param>
/// <param name="Body">The bytes, as they come.</param>
internal sealed record RangeReply(int Status, string? ContentRange, string? Version, Stream Body) : IDisposable
{
    public void Dispose() => Body.Dispose();
}
