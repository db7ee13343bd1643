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
    /// <summary>A block that nobody has come to in so many reads was fetched for somebody who has stopped reading.</summary>
    private const int MaxIdleReads = 1024;

    private readonly object _lock = new();
    private readonly AheadBlocks _blocks = new(length, pool.BlockSize, groupSize: distance * (long)pool.BlockSize / 2);
    private int _firstHeld;
    private long _reads;

    /// <param name="ranges">In the order in which they will be read. Those that were announced before keep their place.</param>
    public void Expect(IReadOnlyList<ByteRange> ranges)
    {
        lock (_lock)
        {
            _blocks.Add(ranges);
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
            for (var number = 0; number < _blocks.Count; number++)
            {
                Free(_blocks[number]);
            }
        }
    }

    private void Copy(AheadBlock block, long offset, Span<byte> buffer)
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
    private (AheadBlock? Block, long End) Take(long offset, long count)
    {
        lock (_lock)
        {
            var (block, end) = _blocks.Find(offset);

            if (block is null)
            {
                return (null, end);
            }

            _reads++;
            FreeSmallBefore(block.Number - distance);

            if (!Start(block))
            {
                // All memory is taken by blocks of other readers.
                block.Read += Math.Min(count, end - offset);
                return (null, end);
            }

            block.Users++;
            block.LastUse = _reads;

            StartAfter(block);
            return (block, end);
        }
    }

    private void Release(AheadBlock block, int count)
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
        number = Math.Min(number, _blocks.Count);

        while (_firstHeld < number && _blocks[_firstHeld].Bytes is null)
        {
            _firstHeld++;
        }

        for (var index = _firstHeld; index < number; index++)
        {
            if (_blocks[index] is { IsData: false, Read: > 0, Users: 0 } block)
            {
                Free(block);
            }
        }
    }

    /// <summary>Frees what was fetched and is not going to be read.</summary>
    private void FreeIdle()
    {
        for (var number = 0; number < _blocks.Count; number++)
        {
            if (_blocks[number] is { Users: 0 } block && _reads - block.LastUse > MaxIdleReads)
            {
                Free(block);
            }
        }
    }

    private void StartAfter(AheadBlock block)
    {
        var bytes = 0L;

        for (var next = block.Number + 1; next < Math.Min(_blocks.Count, block.Number + (distance * RemoteStore.SmallPerLarge)) && bytes < distance * (long)pool.BlockSize; next++)
        {
            if (_blocks[next].IsOver)
            {
                continue;
            }

            if (!Start(_blocks[next]))
            {
                return;
            }

            bytes += _blocks[next].Range.Length;
        }
    }

    private bool Start(AheadBlock block)
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

    private void Free(AheadBlock block)
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
}
