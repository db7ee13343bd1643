namespace Fairseq2Llama.Stores;

/// <summary>A range of a source that is open already, as a source of its own. What is announced for it is not passed on, since others read the same source.</summary>
/// <param name="name">Its name in messages.</param>
/// <param name="reader">The source around it.</param>
/// <param name="range">Which of its bytes.</param>
internal sealed class SourceRange(string name, IByteReader reader, ByteRange range) : IByteSource
{
    public string Name => name;

    public long Length => range.Length;

    public IByteReader Open(CancellationToken cancellationToken = default) => new Reader(reader, range);

    private sealed class Reader(IByteReader reader, ByteRange range) : IByteReader
    {
        public void Read(long offset, Span<byte> buffer)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + buffer.Length, range.Length);
            reader.Read(range.Offset + offset, buffer);
        }

        public void RequireUnchanged() => reader.RequireUnchanged();

        /// <summary>The source around it stays open.</summary>
        public void Dispose()
        {
        }
    }
}
