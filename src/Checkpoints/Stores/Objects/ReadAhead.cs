using System.Buffers;

namespace Fairseq2Llama.Stores.Objects;

/// <summary>Fills a buffer with bytes of an object; can be called while others are being filled.</summary>
internal delegate Task RangeFetch(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

/// <summary>
/// Fetches announced ranges before they are read, several at once. The bytes between ranges that are close together are fetched, too, because that
/// is faster than another request. Anything else is read on demand. Several threads can read, each somewhere else in the announced order.
/// </summary>
/// <param name="fetch">Gets the bytes.</param>
/// <param name="length">Bytes of the object.</param>
/// <param name="pool">Memory for blocks.</param>
/// <param name="distance">How many large blocks to fetch ahead of those that are read; of small ones, there can be more.</param>
/// <param name="cancellationToken">Stops it.</param>
internal sealed class ReadAhead(RangeFetch fetch, long length, BlockPool pool, int distance, CancellationToken cancellationToken) : IDisposable
{
    /// <summary>The number of bytes that take no longer than another request.</summary>
    private const int MaxGap = 256 << 10;

    /// <summary>Smaller blocks are parts of an index, and may be read again.</summary>
    private const int MinData = 1 << 20;

    /// <summary>A block that nobody has come to in so many reads was fetched for somebody who has stopped reading.</summary>
    private const int MaxIdleReads = 1024;

    private readonly object _lock = new();
    private readonly List<Block> _sequence = [];
    private readonly SortedList<long, Block> _byOffset = [];
    private int _firstHeld;
    private long _reads;

    /// <param name="ranges">In the order in which they will be read. Those that were announced before keep their place.</param>
    public void Expect(IReadOnlyList<ByteRange> ranges)
    {
        lock (_lock)
        {
            foreach (var range in Join(ranges))
            {
                foreach (var part in Uncovered(range))
                {
                    Add(part);
                }
            }
        }
    }

    /// <summary>Reads at <paramref name="offset"/> until <paramref name="buffer"/> is full.</summary>
    public void Read(long offset, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var (block, end) = Take(offset, buffer.Length);
            var piece = buffer[..(int)Math.Min(buffer.Length, end - offset)];

            if (block is null)
            {
                ReadDirectly(offset, piece);
            }
            else
            {
                Copy(block, offset, piece);
            }

            buffer = buffer[piece.Length..];
            offset += piece.Length;
        }
    }

    /// <summary>Gives the memory back; that of requests that are running, when they have ended.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var block in _sequence)
            {
                Free(block);
            }
        }
    }

    private void Copy(Block block, long offset, Span<byte> buffer)
    {
        try
        {
            block.CopyTo(offset, buffer, cancellationToken);
        }
        finally
        {
            Release(block, buffer.Length);
        }
    }

    private void ReadDirectly(long offset, Span<byte> buffer)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(buffer.Length);

        try
        {
            fetch(offset, bytes.AsMemory(0, buffer.Length), cancellationToken).GetAwaiter().GetResult();
            bytes.AsSpan(0, buffer.Length).CopyTo(buffer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>The block at an offset, in use, and where it ends; or none, and where the next one begins.</summary>
    private (Block? Block, long End) Take(long offset, long length)
    {
        lock (_lock)
        {
            var index = IndexAt(offset);

            if (index < 0 || _byOffset.Values[index].Range.End <= offset)
            {
                return (null, index + 1 < _byOffset.Count ? _byOffset.Keys[index + 1] : long.MaxValue);
            }

            var block = _byOffset.Values[index];
            _reads++;
            FreeSmallBefore(block.Number - distance);

            if (!Start(block))
            {
                // All memory is taken by blocks of other readers.
                block.Read += Math.Min(length, block.Range.End - offset);
                return (null, block.Range.End);
            }

            block.Users++;
            block.LastUse = _reads;

            StartAfter(block);
            return (block, block.Range.End);
        }
    }

    private void Release(Block block, int count)
    {
        lock (_lock)
        {
            block.Users--;
            block.Read += count;

            if (block is { Users: 0, IsData: true, IsDone: true })
            {
                Free(block);
            }
        }
    }

    /// <summary>Frees parts of an index that were read. Blocks of data end when all of them was read, and others may be far behind in the order.</summary>
    private void FreeSmallBefore(int number)
    {
        number = Math.Min(number, _sequence.Count);

        while (_firstHeld < number && _sequence[_firstHeld].Bytes is null)
        {
            _firstHeld++;
        }

        for (var index = _firstHeld; index < number; index++)
        {
            if (_sequence[index] is { IsData: false, Read: > 0, Users: 0 } block)
            {
                Free(block);
            }
        }
    }

    /// <summary>Frees what was fetched and is not going to be read.</summary>
    private void FreeIdle()
    {
        foreach (var block in _sequence)
        {
            if (block.Users == 0 && _reads - block.LastUse > MaxIdleReads)
            {
                Free(block);
            }
        }
    }

    private void StartAfter(Block block)
    {
        var bytes = 0L;

        for (var next = block.Number + 1; next < Math.Min(_sequence.Count, block.Number + (distance * RemoteStore.SmallPerLarge)) && bytes < distance * (long)pool.BlockSize; next++)
        {
            if (!Start(_sequence[next]))
            {
                return;
            }

            bytes += _sequence[next].Range.Length;
        }
    }

    private bool Start(Block block)
    {
        if (block.Fetched is null && TryRent(block.Range.Length) is { } bytes)
        {
            block.Bytes = bytes;
            block.LastUse = _reads;
            block.Fetched = Task.Run(() => fetch(block.Range.Offset, bytes.AsMemory(0, (int)block.Range.Length), cancellationToken), cancellationToken);
            _firstHeld = Math.Min(_firstHeld, block.Number);
        }

        return block.Fetched is not null;
    }

    private byte[]? TryRent(long length)
    {
        if (pool.TryRent(length) is { } bytes)
        {
            return bytes;
        }

        FreeIdle();
        return pool.TryRent(length);
    }

    private void Free(Block block)
    {
        if (block.Bytes is not { } bytes)
        {
            return;
        }

        var length = block.Range.Length;

        // An error that nobody waits for is of no interest.
        block.Fetched!.ContinueWith(
            task =>
            {
                _ = task.Exception;
                pool.Return(bytes, length);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        block.Reset();
    }

    private void Add((ByteRange Range, long Wanted) part)
    {
        var block = new Block(_sequence.Count, part.Range, Math.Min(part.Wanted, part.Range.Length));
        _sequence.Add(block);
        _byOffset.Add(part.Range.Offset, block);
    }

    /// <summary>The index of the last block that begins at an offset or before it; -1 where there is none.</summary>
    private int IndexAt(long offset)
    {
        var (low, high) = (0, _byOffset.Count);

        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _byOffset.Keys[middle] <= offset ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }

    /// <summary>What of a range is in no block yet.</summary>
    private List<(ByteRange Range, long Wanted)> Uncovered((ByteRange Range, long Wanted) joined)
    {
        var parts = new List<(ByteRange, long)>();
        var (range, start) = (joined.Range, joined.Range.Offset);

        for (var index = Math.Max(0, IndexAt(start)); index < _byOffset.Count && _byOffset.Keys[index] < range.End; index++)
        {
            var present = _byOffset.Values[index].Range;

            if (present.Offset > start)
            {
                parts.Add((new ByteRange(start, present.Offset - start), present.Offset - start));
            }

            start = Math.Max(start, present.End);
        }

        if (start < range.End)
        {
            parts.Add((new ByteRange(start, range.End - start), start == range.Offset ? joined.Wanted : range.End - start));
        }

        return parts;
    }

    /// <summary>Ranges that follow each other closely become one, and large ones several, so that each fits into a block.</summary>
    private List<(ByteRange Range, long Wanted)> Join(IReadOnlyList<ByteRange> ranges)
    {
        var joined = new List<(ByteRange Range, long Wanted)>();

        foreach (var range in ranges.Where(range => range.Offset >= 0 && range.Length > 0 && range.Length <= length - range.Offset))
        {
            if (joined.Count > 0 && joined[^1] is var (last, wanted)
                && range.Offset >= last.Offset && range.Offset - last.End <= MaxGap && range.End - last.Offset <= pool.BlockSize)
            {
                joined[^1] = (last with { Length = Math.Max(last.End, range.End) - last.Offset }, wanted + range.Length);
                continue;
            }

            for (var start = range.Offset; start < range.End; start += pool.BlockSize)
            {
                var size = Math.Min(pool.BlockSize, range.End - start);
                joined.Add((new ByteRange(start, size), size));
            }
        }

        return joined;
    }

    /// <param name="number">Its place in the order of reading.</param>
    /// <param name="range">Where it is.</param>
    /// <param name="wanted">How many of its bytes are going to be read.</param>
    private sealed class Block(int number, ByteRange range, long wanted)
    {
        public int Number => number;

        public ByteRange Range => range;

        /// <summary>Whether what is wanted of it is read once.</summary>
        public bool IsData => wanted >= MinData;

        /// <summary>Whether all that is wanted of it was read.</summary>
        public bool IsDone => Read >= wanted;

        /// <summary>How many bytes were read.</summary>
        public long Read { get; set; }

        /// <summary>When it was last read, or fetched, as a number of reads.</summary>
        public long LastUse { get; set; }

        /// <summary>How many threads are reading it.</summary>
        public int Users { get; set; }

        /// <summary>Null unless it is, or is being, fetched.</summary>
        public byte[]? Bytes { get; set; }

        /// <summary>Done when it is fetched.</summary>
        public Task? Fetched { get; set; }

        /// <summary>Makes it one that was never fetched.</summary>
        public void Reset() => (Bytes, Fetched, Read) = (null, null, 0);

        public void CopyTo(long offset, Span<byte> buffer, CancellationToken cancellationToken)
        {
            Fetched!.WaitAsync(cancellationToken).GetAwaiter().GetResult();
            Bytes.AsSpan((int)(offset - range.Offset), buffer.Length).CopyTo(buffer);
        }
    }
}
