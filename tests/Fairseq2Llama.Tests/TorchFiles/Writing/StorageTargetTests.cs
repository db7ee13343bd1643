using CsCheck;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Tests.TorchFiles.Writing;

public class StorageTargetTests
{
    private const int Block = BlockSharing.BlockSize;

    private static readonly byte[] Source = [.. Enumerable.Range(0, 5 * Block).Select(i => (byte)(i * 31 / 7))];

    [Fact]
    public void Shares_whole_blocks_and_copies_what_lies_around_them() => Gen.Select(Gen.Int[0, Source.Length], Gen.Int[0, Source.Length], Gen.Int[0, 3])
        .Sample((first, second, distance) =>
        {
            var (start, end) = (Math.Min(first, second), Math.Max(first, second));
            var source = new SharingReader();
            var target = start + (distance * Block);
            var (isShared, written, bytes) = Fill(source, target, start, end - start);
            var blocks = (end / Block) - ((start + Block - 1) / Block);

            Assert.Equal(blocks > 0, isShared);
            Assert.Equal(blocks > 0 ? [blocks * Block] : [], source.Shared);
            Assert.Equal(isShared ? end - start : 0, written);
            Assert.Equal(isShared ? Source[start..end] : [], bytes.Skip(target));
        });

    [Theory]
    [InlineData(64)]
    [InlineData(4032)]
    public void Shares_nothing_that_lies_differently_in_its_blocks(int distance)
    {
        var source = new SharingReader();

        Assert.False(Fill(source, distance, 0, 3 * Block).IsShared);
        Assert.Empty(source.Shared);
    }

    [Fact]
    public void Changes_nothing_where_blocks_cannot_be_shared()
    {
        using var reader = new MemorySource(Source).Open();

        Assert.Equal((false, 0L, 0), Fill(reader, 0, 0, 3 * Block) is var (isShared, written, bytes) ? (isShared, written, bytes.Length) : default);
    }

    private static (bool IsShared, long Written, byte[] Bytes) Fill(IByteReader source, long targetOffset, long origin, long length)
    {
        using var folder = new TempFolder();
        var written = 0L;
        bool isShared;

        using (var file = OutputFile.CreateToShare(folder["file"], 0, flush: false))
        {
            isShared = new StorageTarget(file, targetOffset, count => written += count).TryShare(source, origin, length);
        }

        return (isShared, written, File.ReadAllBytes(folder["file"]));
    }

    /// <summary>Does what a file system would do, by copying, and remembers how much.</summary>
    private sealed class SharingReader : IBlockReader
    {
        public List<int> Shared { get; } = [];

        public void Read(long offset, Span<byte> buffer) => Source.AsSpan((int)offset, buffer.Length).CopyTo(buffer);

        public bool TryShare(long offset, long length, SafeFileHandle target, long targetOffset)
        {
            Assert.Equal((0, 0, 0), (offset % Block, length % Block, targetOffset % Block));
            RandomAccess.Write(target, Source.AsSpan((int)offset, (int)length), targetOffset);
            Shared.Add((int)length);
            return true;
        }

        public void RequireUnchanged()
        {
        }

        public void Dispose()
        {
        }
    }
}
