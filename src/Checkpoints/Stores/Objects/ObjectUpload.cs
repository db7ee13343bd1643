using System.Collections.Concurrent;

namespace Fairseq2Llama.Stores.Objects;

/// <summary>An object that is being uploaded in parts.</summary>
/// <param name="store">The store.</param>
/// <param name="key">The key of the object.</param>
/// <param name="run">The id of the export that writes it.</param>
/// <param name="id">The id of the upload.</param>
internal sealed class ObjectUpload(RemoteStore store, string key, string run, string id)
{
    private readonly ConcurrentDictionary<int, string> _parts = new();
    private bool _isComplete;

    /// <summary>Where it is uploaded to.</summary>
    public RemoteStore Store => store;

    /// <summary>Uploads a part; can be called while others are being uploaded.</summary>
    /// <inheritdoc cref="IObjectClient.UploadAsync" path="/param"/>
    public async Task UploadAsync(int number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _parts[number] = await store.UploadAsync(key, id, number, bytes, cancellationToken).ConfigureAwait(false);

    /// <summary>Makes a range of another object a part, inside the store.</summary>
    /// <returns>False where the store can't do that; then nothing has changed.</returns>
    public bool TryCopy(int number, ObjectSource source, ByteRange range, CancellationToken cancellationToken)
    {
        try
        {
            if (store.Copy(key, id, number, source, range, cancellationToken) is not { } part)
            {
                return false;
            }

            _parts[number] = part;
            return true;
        }
        catch (StoreException e) when (e.Failure == StoreFailure.Changed)
        {
            throw source.Changed();
        }
    }

    /// <summary>Makes an object of the parts.</summary>
    /// <returns>Its version; null if something unexpected is there. After a retry, that can be the object itself.</returns>
    public string? TryComplete(string? replaces, CancellationToken cancellationToken)
    {
        var version = store.TryComplete(
            key, id, run, [.. _parts.OrderBy(part => part.Key).Select(part => new UploadedPart(part.Key, part.Value))], replaces, cancellationToken);
        _isComplete = version is not null;
        return version;
    }

    /// <summary>Discards the parts, unless they have become an object.</summary>
    /// <exception cref="StoreException">The parts can't be discarded. The next export removes them.</exception>
    public void Discard(CancellationToken cancellationToken)
    {
        if (!_isComplete)
        {
            store.Discard(key, id, cancellationToken);
        }
    }
}
