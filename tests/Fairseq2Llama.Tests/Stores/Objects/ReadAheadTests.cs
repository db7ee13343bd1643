using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Tests.Stores.Objects;

public sealed class ReadAheadTests : IDisposable
{
    private const int BlockSize = 2 << 20;
    private const int Distance = 4;
    private const int Window = 1 << 18;
    private const int Length = 64 * BlockSize;

    private readonly List<ByteRange> _fetched = [];
    private readonly ReadAhead _ahead;

    public ReadAheadTests() => _ahead = new ReadAhead(Fetch, Length, new BlockPool(2L * Distance * BlockSize, BlockSize), Distance, CancellationToken.None);

    public void Dispose() => _ahead.Dispose();

    [Fact]
    public void Readers_far_apart_do_not_take_each_others_blocks()
    {
        _ahead.Expect([new ByteRange(0, Length / 2), new ByteRange(Length / 2, Length / 2)]);

        for (var offset = 0; offset < Length / 2; offset += Window)
        {
            Read(offset, Window);
            Read((Length / 2) + offset, Window);
        }

        AssertFetchedOnce(Length);
    }

    [Fact]
    public void Bytes_between_tensors_do_not_make_a_block_stay()
    {
        // Padding, as between the records of an archive.
        const int Tensor = Window - 64;
        _ahead.Expect([.. Enumerable.Range(0, Length / Window).Select(index => new ByteRange((long)index * Window, Tensor))]);

        for (var offset = 0; offset < Length / 2; offset += Window)
        {
            Read(offset, Tensor);
            Read((Length / 2) + offset, Tensor);
        }

        AssertFetchedOnce(Length - (Length / BlockSize * 64));
    }

    /// <summary>Files have the tensors of a layer in the order of their names, and they are read in that of the model.</summary>
    [Fact]
    public void Tensors_that_are_read_in_another_order_than_that_of_the_file_share_blocks()
    {
        const int Tensor = 3 * Window;
        const int PerLayer = 5;
        int[] order = [3, 0, 4, 1, 2];
        var tensors = Enumerable.Range(0, Length / Tensor / PerLayer * PerLayer)
            .Select(number => (long)((number / PerLayer * PerLayer) + order[number % PerLayer]) * Tensor)
            .ToArray();
        _ahead.Expect([.. tensors.Select(offset => new ByteRange(offset, Tensor))]);

        foreach (var offset in tensors)
        {
            for (var start = 0; start < Tensor; start += Window)
            {
                Read(offset + start, Window);
            }
        }

        AssertFetchedOnce(tensors.Length * (long)Tensor);
        Assert.InRange(_fetched.Count, 1, tensors.Length / 2);
    }

    [Fact]
    public void What_was_fetched_for_a_reader_who_has_stopped_is_given_back()
    {
        const int Abandoned = 4 * BlockSize;
        _ahead.Expect([.. Enumerable.Range(0, Length / Abandoned).Select(index => new ByteRange((long)index * Abandoned, Abandoned))]);

        // Each leaves blocks behind, which together take all memory.
        for (var offset = 0; offset < Length / 2; offset += Abandoned)
        {
            Read(offset, Window);
        }

        for (var count = 0; count < 5000; count++)
        {
            Read((Length / 2) + (count % (BlockSize / 4096) * 4096), 4096);
        }

        _fetched.Clear();

        for (var offset = (Length / 2) + BlockSize; offset < Length; offset += Window)
        {
            Read(offset, Window);
        }

        Assert.All(_fetched, range => Assert.Equal(BlockSize, range.Length));
    }

    private void Read(long offset, int length)
    {
        var buffer = new byte[length];
        _ahead.Read(offset, buffer);
        Assert.Equal(ByteAt(offset), buffer[0]);
        Assert.Equal(ByteAt(offset + length - 1), buffer[^1]);
    }

    /// <summary>But for the few blocks for which there is no memory when they are needed.</summary>
    private void AssertFetchedOnce(long length)
    {
        lock (_fetched)
        {
            Assert.InRange(_fetched.Sum(range => range.Length), length, length + (length / 10));
        }
    }

    private Task Fetch(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        lock (_fetched)
        {
            _fetched.Add(new ByteRange(offset, buffer.Length));
        }

        var bytes = buffer.Span;

        for (var index = 0; index < bytes.Length; index++)
        {
            bytes[index] = ByteAt(offset + index);
        }

        return Task.CompletedTask;
    }

    private static byte ByteAt(long offset) => (byte)(offset % 251);
}
