using System.Runtime.ExceptionServices;

namespace Fairseq2Llama.Stores;

/// <summary>
/// Fetches the announced ranges in a few large requests, some of them at once, for a source with slow requests. The bytes between ranges that are
/// close together are fetched, too, because that is faster than another request. Anything else is read on demand.
/// </summary>
/// <param name="reader">The source; can be read by several threads.</param>
/// <param name="length">Its length.</param>
internal sealed class ReadAheadReader(IByteReader reader, long length) : IByteReader
{
    /// <summary>Bytes of a request. A file can't make us hold more than two batches of these.</summary>
    private const int BlockSize = 4 << 20;

    /// <summary>The number of bytes that take no longer than another request.</summary>
    private const int MaxGap = 256 << 10;

    /// <summary>Ranges that lie far apart are fetched by that many requests at once.</summary>
    private const int BatchCount = 16;

    private const int BatchSize = 8 << 20;

    private readonly object _lock = new();
    private List<ByteRange> _announced = [];
    private (long Offset, byte[] Bytes)[] _batch = [];

    public void Expect(IReadOnlyList<ByteRange> ranges)
    {
        lock (_lock)
        {
            _announced = Join(ranges);
        }
    }

    public void Read(long offset, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var count = buffer.Length < BlockSize ? CopyAnnounced(offset, buffer) : 0;

            if (count == 0)
            {
                reader.Read(offset, buffer);
                return;
            }

            buffer = buffer[count..];
            offset += count;
        }
    }

    public void RequireUnchanged() => reader.RequireUnchanged();

    public void Dispose() => reader.Dispose();

    private int CopyAnnounced(long offset, Span<byte> buffer)
    {
        lock (_lock)
        {
            if (FindFetched(offset) is not { Bytes: not null } block)
            {
                var index = FindAnnounced(offset);

                if (index < 0)
                {
                    return 0;
                }

                Fetch(index);
                block = FindFetched(offset);
            }

            var bytes = block.Bytes.AsSpan((int)(offset - block.Offset));
            var count = Math.Min(bytes.Length, buffer.Length);
            bytes[..count].CopyTo(buffer);
            return count;
        }
    }

    private (long Offset, byte[] Bytes) FindFetched(long offset) =>
        Array.Find(_batch, block => offset >= block.Offset && offset - block.Offset < block.Bytes.Length);

    private int FindAnnounced(long offset)
    {
        var index = _announced.BinarySearch(new ByteRange(offset, 0), Comparer<ByteRange>.Create((a, b) => a.Offset.CompareTo(b.Offset)));
        index = index < 0 ? ~index - 1 : index;
        return index >= 0 && offset < _announced[index].End ? index : -1;
    }

    private void Fetch(int first)
    {
        var count = 1;

        for (var size = _announced[first].Length; first + count < _announced.Count && count < BatchCount; count++)
        {
            size += _announced[first + count].Length;

            if (size > BatchSize)
            {
                break;
            }
        }

        var batch = new (long Offset, byte[] Bytes)[count];

        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = BatchCount }, i =>
            {
                var bytes = new byte[_announced[first + i].Length];
                reader.Read(_announced[first + i].Offset, bytes);
                batch[i] = (_announced[first + i].Offset, bytes);
            });
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        _batch = batch;
    }

    private List<ByteRange> Join(IReadOnlyList<ByteRange> ranges)
    {
        var blocks = new List<ByteRange>();

        foreach (var range in ranges.Where(range => range.Offset >= 0 && range.Length > 0 && range.Length <= length - range.Offset).OrderBy(range => range.Offset))
        {
            if (blocks.Count > 0 && range.Offset - blocks[^1].End <= MaxGap && range.End - blocks[^1].Offset <= BlockSize)
            {
                blocks[^1] = blocks[^1] with { Length = Math.Max(blocks[^1].End, range.End) - blocks[^1].Offset };
                continue;
            }

            // What overlaps is fetched once.
            var start = blocks.Count > 0 ? Math.Max(range.Offset, blocks[^1].End) : range.Offset;

            for (; start < range.End; start += BlockSize)
            {
                blocks.Add(new ByteRange(start, Math.Min(BlockSize, range.End - start)));
            }
        }

        return blocks;
    }
}
