namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// A store of objects under keys with slashes, such as Azure Blob Storage and S3. It can't rename, and has no atomic operation on several
/// objects. It replaces one object atomically, and only if that is still the expected version. Several threads can use it at once.
/// </summary>
/// <remarks>Every member throws <see cref="StoreException"/>, an <see cref="IOException"/>, if it isn't allowed or fails.</remarks>
/// <param name="client">Makes the requests.</param>
/// <param name="access">How many at a time, and how large.</param>
/// <param name="time">The clock; that of tests need not wait.</param>
internal sealed class RemoteStore(IObjectClient client, StoreAccess access, TimeProvider? time = null)
{
    /// <summary>Stores take that long to assemble an object of its parts, and to copy.</summary>
    private static readonly TimeSpan LongTimeout = TimeSpan.FromMinutes(10);

    /// <summary>An upload gives no sign of life before its end. So slow may it be.</summary>
    private const int MinBytesPerSecond = 64 << 10;

    /// <summary>What is so small takes a store no longer than any answer.</summary>
    private const int SmallRange = 64 << 10;

    private readonly RequestLoop _requests = new(access.ThrottleLimit, time);
    private readonly RequestLoop _smallRequests = new(access.ThrottleLimit * SmallPerLarge, time);

    /// <summary>How many requests for a few bytes, such as the headers of records, may run in place of one for data.</summary>
    public const int SmallPerLarge = 8;

    /// <inheritdoc cref="IObjectClient.CanWrite"/>
    public bool CanWrite => client.CanWrite;

    /// <inheritdoc cref="IObjectClient.Parts"/>
    public PartLimits Parts => client.Parts;

    /// <summary>Memory for what is read ahead, of all objects together.</summary>
    public BlockPool Blocks { get; } = new(2L * access.ThrottleLimit * access.RangeSize, access.RangeSize);

    /// <summary>How many requests for data run at the same time.</summary>
    public int ThrottleLimit => access.ThrottleLimit;

    /// <inheritdoc cref="IObjectClient.AddressOf"/>
    public string AddressOf(string key) => client.AddressOf(key);

    /// <summary>The objects and prefixes directly below a prefix.</summary>
    /// <param name="prefix">Empty, or ends with a slash.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public ObjectListing List(string prefix, CancellationToken cancellationToken)
    {
        var (objects, prefixes) = (new List<StoredObject>(), new List<string>());
        string? continuation = null;

        do
        {
            var page = Ask(token => client.ListAsync(prefix, continuation, token), cancellationToken);
            objects.AddRange(page.Objects);
            prefixes.AddRange(page.Prefixes);
            continuation = page.Continuation;
        }
        while (continuation is not null);

        return new ObjectListing(objects, prefixes);
    }

    /// <inheritdoc cref="IObjectClient.FindAsync"/>
    public StoredObject? Find(string key, CancellationToken cancellationToken) => Ask(token => client.FindAsync(key, token), cancellationToken);

    /// <summary>Fills a buffer with bytes of an object. After an interruption, it continues behind the last byte that has come.</summary>
    /// <param name="source">The object.</param>
    /// <param name="offset">Where the bytes begin.</param>
    /// <param name="buffer">The buffer.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>False if the object no longer exists in this version.</returns>
    public async Task<bool> TryReadAsync(StoredObject source, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var position = 0;

        return await (buffer.Length > SmallRange ? _requests : _smallRequests).RunAsync(ReadRestAsync, RequestLoop.IdleTimeout, cancellationToken).ConfigureAwait(false);

        async Task<bool> ReadRestAsync(IdleClock clock)
        {
            var range = new ByteRange(offset + position, buffer.Length - position);

            try
            {
                using var reply = await client.ReadAsync(source, range, clock.Token).ConfigureAwait(false);
                RangeReplyCheck.Require(reply, source, range);

                while (position < buffer.Length)
                {
                    clock.Reset();
                    var count = await reply.Body.ReadAsync(buffer[position..], clock.Token).ConfigureAwait(false);
                    position += count > 0 ? count : throw new EndOfStreamException("it ended too early");
                }

                return true;
            }
            catch (StoreException e) when (e.Failure == StoreFailure.Changed)
            {
                return false;
            }
            catch (Exception e) when (e is IOException and not StoreException or HttpRequestException && !clock.HasExpired)
            {
                throw new StoreException(StoreFailure.Transient, $"A reply of the store was interrupted: {e.Message.TrimEnd('.')}.", e);
            }
        }
    }

    /// <summary>Writes a small object.</summary>
    /// <inheritdoc cref="IObjectClient.PutAsync" path="/param"/>
    /// <returns>Its version; null if something unexpected is there. After a retry, that can be the object itself.</returns>
    public string? TryPut(string key, ReadOnlyMemory<byte> content, string run, string? replaces, CancellationToken cancellationToken) =>
        IfUnchanged(() => Ask(token => client.PutAsync(key, content, run, replaces, token), cancellationToken, TimeFor(content.Length)));

    /// <summary>Removes an object.</summary>
    /// <returns>False if something else is there by now, or nothing.</returns>
    public bool TryDelete(string key, string version, CancellationToken cancellationToken) => IfUnchanged(() => Ask(
        async token =>
        {
            await client.DeleteAsync(key, version, token).ConfigureAwait(false);
            return key;
        },
        cancellationToken)) is not null;

    /// <summary>Begins to upload an object in parts. Nobody sees it before it is complete.</summary>
    /// <inheritdoc cref="IObjectClient.BeginAsync" path="/param"/>
    public ObjectUpload Begin(string key, string run, CancellationToken cancellationToken)
    {
        var tries = 0;
        var id = Ask(
            token =>
            {
                tries++;
                return client.BeginAsync(key, run, token);
            },
            cancellationToken);

        // If a reply was lost, an upload has begun of which nobody knows the id. Its parts would be kept, and paid for.
        if (tries > 1)
        {
            TryDiscardUploads(key, except: id, cancellationToken);
        }

        return new ObjectUpload(this, key, run, id);
    }

    /// <inheritdoc cref="IObjectClient.UploadAsync"/>
    public Task<string> UploadAsync(string key, string upload, int number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _requests.RunAsync(clock => client.UploadAsync(key, upload, number, bytes, clock.Token), TimeFor(bytes.Length), cancellationToken);

    /// <inheritdoc cref="IObjectClient.CopyAsync"/>
    public string? Copy(string key, string upload, int number, ObjectSource source, ByteRange range, CancellationToken cancellationToken) => Ask(
        token => client.CopyAsync(key, upload, number, source.Store.Client, source.Found, range, token), cancellationToken, LongTimeout);

    /// <inheritdoc cref="IObjectClient.CompleteAsync" path="/param"/>
    /// <summary>Makes an object of uploaded parts.</summary>
    /// <returns>As for <see cref="TryPut"/>.</returns>
    public string? TryComplete(
        string key, string upload, string run, IReadOnlyList<UploadedPart> parts, string? replaces, CancellationToken cancellationToken) =>
        IfUnchanged(() => Ask(token => client.CompleteAsync(key, upload, run, parts, replaces, token), cancellationToken, LongTimeout));

    /// <inheritdoc cref="IObjectClient.DiscardAsync"/>
    public void Discard(string key, string upload, CancellationToken cancellationToken) => Ask(
        async token =>
        {
            await client.DiscardAsync(key, upload, token).ConfigureAwait(false);
            return upload;
        },
        cancellationToken);

    /// <summary>Removes the uploaded parts of an object that was never completed.</summary>
    public void DiscardUploads(string key, CancellationToken cancellationToken) => DiscardUploads(key, except: null, cancellationToken);

    private void TryDiscardUploads(string key, string except, CancellationToken cancellationToken)
    {
        try
        {
            DiscardUploads(key, except, cancellationToken);
        }
        catch (StoreException)
        {
            // It does no harm to what is exported, and not everybody who may write may list.
        }
    }

    private void DiscardUploads(string key, string? except, CancellationToken cancellationToken)
    {
        foreach (var upload in Ask(token => client.FindUploadsAsync(key, token), cancellationToken).Where(upload => upload != except))
        {
            Discard(key, upload, cancellationToken);
        }
    }

    /// <summary>Whether objects of this store can become parts of those of another one without leaving it.</summary>
    public bool CanCopyTo(RemoteStore other) => other.Client.CanCopyFrom(client);

    private IObjectClient Client => client;

    private static TimeSpan TimeFor(long length) => RequestLoop.IdleTimeout + TimeSpan.FromSeconds(length / MinBytesPerSecond);

    /// <summary>The rest of the module is synchronous, because a pipeline of PowerShell is.</summary>
    private T Ask<T>(Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken, TimeSpan? timeout = null) =>
        _requests.RunAsync(clock => request(clock.Token), timeout ?? RequestLoop.IdleTimeout, cancellationToken).GetAwaiter().GetResult();

    private static string? IfUnchanged(Func<string> request)
    {
        try
        {
            return request();
        }
        catch (StoreException e) when (e.Failure == StoreFailure.Changed)
        {
            return null;
        }
    }
}
