namespace Fairseq2Llama.Stores.Objects;

/// <summary>A small object that is removed and may have to come back.</summary>
internal sealed class RemovedObject
{
    private readonly RemoteStore _store;
    private readonly string _run;
    private readonly byte[] _bytes;

    private RemovedObject(RemoteStore store, string key, string run, byte[] bytes)
    {
        _store = store;
        Key = key;
        _run = run;
        _bytes = bytes;
    }

    /// <summary>Its key.</summary>
    public string Key { get; }

    /// <summary>Keeps what an object holds, before it is removed.</summary>
    /// <returns>Null if it is too large to be kept, or can't be read.</returns>
    public static RemovedObject? TryKeep(RemoteStore store, StoredObject old, CancellationToken cancellationToken)
    {
        if (old.Length > store.Parts.Length)
        {
            return null;
        }

        try
        {
            // It stays an object of the export that wrote it.
            var run = store.Find(old.Key, cancellationToken)?.Run ?? Guid.NewGuid().ToString("N");
            var bytes = new byte[old.Length];
            return store.TryReadAsync(old, 0, bytes, cancellationToken).GetAwaiter().GetResult() ? new RemovedObject(store, old.Key, run, bytes) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Writes it again, unless something else is there by now.</summary>
    /// <exception cref="StoreException">It can't be written.</exception>
    public void PutBack(CancellationToken cancellationToken) => _store.TryPut(Key, _bytes, _run, replaces: null, cancellationToken);
}
