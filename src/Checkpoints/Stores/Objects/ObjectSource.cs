namespace Fairseq2Llama.Stores.Objects;

/// <summary>An object, in the version that was found.</summary>
internal sealed class ObjectSource(IObjectStore store, StoredObject found) : IByteSource
{
    public string Name => store.AddressOf(found.Key);

    public long Length => found.Length;

    /// <summary>What was found.</summary>
    public StoredObject Found => found;

    /// <summary>Where it is.</summary>
    public IObjectStore Store => store;

    public IByteReader Open() => new Reader(this);

    private CheckpointException Changed() => new(
        CheckpointErrorCode.CheckpointCorrupt,
        $"'{Name}' was changed after it was read. Wait until the program that writes it has finished, then read the checkpoint again.",
        Name);

    private CheckpointException Unreadable(Exception cause) =>
        new(CheckpointErrorCode.ReadFailed, $"'{Name}' can't be read: {cause.Message}", Name, cause);

    /// <summary>Fetches ahead what was announced.</summary>
    internal sealed class Reader(ObjectSource source) : IByteReader
    {
        private readonly ReadAheadReader _ahead = new(new RangeReader(source), source.Length);

        public ObjectSource Source => source;

        public void Read(long offset, Span<byte> buffer) => _ahead.Read(offset, buffer);

        public void Expect(IReadOnlyList<ByteRange> ranges) => _ahead.Expect(ranges);

        public void RequireUnchanged() => _ahead.RequireUnchanged();

        public void Dispose() => _ahead.Dispose();
    }

    /// <summary>Asks for each range by itself.</summary>
    private sealed class RangeReader(ObjectSource source) : IByteReader
    {
        public void Read(long offset, Span<byte> buffer)
        {
            if (offset > source.Length - buffer.Length)
            {
                throw CheckpointException.Corrupt(source.Name, $"it ends at byte {source.Length}, {offset + buffer.Length - source.Length} bytes too early.");
            }

            try
            {
                if (!source.Store.TryRead(source.Found, offset, buffer))
                {
                    throw source.Changed();
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw source.Unreadable(e);
            }
        }

        public void RequireUnchanged()
        {
            try
            {
                if (source.Store.Find(source.Found.Key)?.Version != source.Found.Version)
                {
                    throw source.Changed();
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw source.Unreadable(e);
            }
        }

        public void Dispose()
        {
        }
    }
}
