using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A file that exists only in memory, for thousands of broken ones; tells how often and how far it is read.</summary>
internal sealed class MemorySource(byte[] bytes) : IByteSource
{
    private long _bytesRead;

    public string Name => "memory.pt";

    public long Length => bytes.Length;

    public int ReadCount { get; private set; }

    /// <summary>All that was read, counted anew each time; right also where several threads read.</summary>
    public long BytesRead => Interlocked.Read(ref _bytesRead);

    /// <summary>The offset behind the last byte that was asked for.</summary>
    public long EndOfReads { get; private set; }

    public IByteReader Open(CancellationToken cancellationToken = default) => new Reader(this, bytes);

    private sealed class Reader(MemorySource source, byte[] bytes) : IByteReader
    {
        public void Read(long offset, Span<byte> buffer)
        {
            source.ReadCount++;
            Interlocked.Add(ref source._bytesRead, buffer.Length);
            source.EndOfReads = Math.Max(source.EndOfReads, offset + buffer.Length);

            if (offset > bytes.Length - buffer.Length)
            {
                throw new CheckpointException(CheckpointErrorCode.CheckpointCorrupt, $"'{source.Name}' ends before byte {offset + buffer.Length}.");
            }

            bytes.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
        }

        public void RequireUnchanged()
        {
        }

        public void Dispose()
        {
        }
    }
}
