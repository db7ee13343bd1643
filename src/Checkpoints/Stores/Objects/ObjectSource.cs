namespace Fairseq2Llama.Stores.Objects;

/// <summary>An object, in the version that was found.</summary>
/// <param name="store">The store.</param>
/// <param name="found">The object.</param>
/// <param name="stop">Stops reading it.</param>
internal sealed class ObjectSource(RemoteStore store, StoredObject found, CancellationToken stop) : IByteSource
{
    public string Name => store.AddressOf(found.Key);

    public long Length => found.Length;

    public string? ETag => found.Version;

    /// <summary>What was found.</summary>
    public StoredObject Found => found;

    /// <summary>Where it is.</summary>
    public RemoteStore Store => store;

    public IByteReader Open(CancellationToken cancellationToken = default) => new Reader(this, stop, cancellationToken);

    /// <summary>The error for a version that is no longer there.</summary>
    public CheckpointException Changed() => new(
        CheckpointErrorCode.CheckpointCorrupt,
        $"'{Name}' was changed after it was read. Wait until the program that writes it has finished, then read the checkpoint again.",
        Name);

    private CheckpointException Unreadable(IOException cause) => new(CheckpointErrorCode.ReadFailed, $"'{Name}' can't be read: {cause.Message}", Name, cause);

    private async Task FetchAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            if (!await store.TryReadAsync(found, offset, buffer, cancellationToken).ConfigureAwait(false))
            {
                throw Changed();
            }
        }
        catch (IOException e)
        {
            throw Unreadable(e);
        }
    }

    /// <summary>Fetches ahead what was announced.</summary>
    internal sealed class Reader : IByteReader
    {
        private readonly CancellationTokenSource _stop;
        private readonly ReadAhead _ahead;

        public Reader(ObjectSource source, CancellationToken first, CancellationToken second)
        {
            Source = source;
            _stop = CancellationTokenSource.CreateLinkedTokenSource(first, second);
            _ahead = new ReadAhead(source.FetchAsync, source.Length, source.Store.Blocks, source.Store.ThrottleLimit, _stop.Token);
        }

        public ObjectSource Source { get; }

        public void Read(long offset, Span<byte> buffer)
        {
            if (offset > Source.Length - buffer.Length)
            {
                throw CheckpointException.Corrupt(Source.Name, $"it ends at byte {Source.Length}, {Quantity.Of(offset + buffer.Length - Source.Length, "byte")} too early.");
            }

            _ahead.Read(offset, buffer);
        }

        public void Expect(IReadOnlyList<ByteRange> ranges) => _ahead.Expect(ranges);

        public void RequireUnchanged()
        {
            try
            {
                if (Source.Store.Find(Source.Found.Key, _stop.Token)?.Version != Source.Found.Version)
                {
                    throw Source.Changed();
                }
            }
            catch (IOException e)
            {
                throw Source.Unreadable(e);
            }
        }

        public void Dispose()
        {
            _stop.Cancel();
            _ahead.Dispose();
            _stop.Dispose();
        }
    }
}
