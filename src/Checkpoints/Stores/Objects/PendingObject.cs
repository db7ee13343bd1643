namespace Fairseq2Llama.Stores.Objects;

/// <summary>A written object that nobody sees yet. If it fits into one request, it waits here; otherwise it was uploaded in parts.</summary>
internal sealed class PendingObject : IDisposable
{
    private readonly RemoteStore _store;
    private readonly string _key;
    private readonly string _run;
    private readonly long _length;
    private readonly CancellationToken _cancellationToken;
    private readonly ObjectUpload? _upload;
    private readonly MemorySink? _small;

    public PendingObject(
        RemoteStore store, string key, string run, long length, IReadOnlyList<UnchangedRange> unchanged, CancellationToken cancellationToken)
    {
        _store = store;
        _key = key;
        _run = run;
        _length = length;
        _cancellationToken = cancellationToken;

        if (length <= store.Parts.Length && unchanged.Count == 0)
        {
            Sink = _small = new MemorySink(length);
            return;
        }

        _upload = store.Begin(key, run, cancellationToken);
        Sink = new PartSink(
            _upload,
            length,
            from range in unchanged
            where range.Source is ObjectSource source && source.Store.CanCopyTo(store)
            select new ByteRange(range.Offset, range.Length),
            store.Parts,
            store.ThrottleLimit,
            cancellationToken);
    }

    /// <summary>Takes its content.</summary>
    public IFileSink Sink { get; }

    /// <summary>Makes an object of it.</summary>
    /// <param name="replaces">The version that it replaces; null if no object may be there.</param>
    /// <returns>The object; null if something unexpected is there.</returns>
    public StoredObject? TryPlace(string? replaces)
    {
        if ((_upload is null ? _store.TryPut(_key, _small!.Content, _run, replaces, _cancellationToken) : _upload.TryComplete(replaces, _cancellationToken)) is { } version)
        {
            return new StoredObject(_key, _length, version) { Run = _run };
        }

        // The object may be our own: if a reply is lost, the second request finds what the first one made.
        return _store.Find(_key, _cancellationToken) is { } found && found.Run == _run && found.Length == _length ? found : null;
    }

    /// <summary>Discards what was uploaded, unless it has become an object.</summary>
    /// <param name="end">Cancelled when there is no more time for that.</param>
    /// <returns>Whether nothing is left of it.</returns>
    public bool TryDiscard(CancellationToken end)
    {
        Dispose();
        return TidyingTime.Try(() => _upload?.Discard(end));
    }

    public void Dispose() => Sink.Dispose();

    private sealed class MemorySink(long length) : IFileSink
    {
        private readonly byte[] _bytes = new byte[length];

        public bool PrefersOrder => false;

        public ReadOnlyMemory<byte> Content => _bytes;

        public void Write(ReadOnlySpan<byte> bytes, long offset) => bytes.CopyTo(_bytes.AsSpan((int)offset));

        public bool TryShare(IByteReader source, long origin, long length, long offset) => false;

        public void Complete()
        {
        }

        public void Dispose()
        {
        }
    }
}
