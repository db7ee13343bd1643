using System.Runtime.InteropServices;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Transfer;

/// <summary>What transforms give does not depend on how the data is cut into chunks, whatever their blocks are.</summary>
public class TransformSinkTests
{
    private static readonly DTypeInfo Scaled = new(
        DType.UInt8, "scaled", ScaledBlocks.OutputSize, SwapUnit: 2, StorageName: null, SafeTensorsName: null, ElementsPerBlock: ScaledBlocks.Elements);

    [Fact]
    public void Elements_take_whole_blocks()
    {
        Assert.Equal((3 * 34, 3 * 32), (Scaled.LengthOf(3 * 32), Scaled.ElementsIn(3 * 34)));

        Assert.All(DTypeInfo.Known.Where(info => !info.IsQuantized), info => Assert.Equal((7 * info.ItemSize, 7), (info.LengthOf(7), info.ElementsIn(7 * info.ItemSize))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(129)]
    [InlineData(1000)]
    [InlineData(int.MaxValue)]
    public void A_block_may_come_in_several_chunks(int maxChunk)
    {
        var numbers = Numbers(100 * ScaledBlocks.Elements);

        Assert.Equal(ScaledBlocks.Of(numbers), Transform(numbers, maxChunk, new ScaledBlocks()));
    }

    /// <summary>Handing on takes a buffer, which does not grow with the chunk.</summary>
    [Fact]
    public void Large_chunks_are_handed_on_in_pieces()
    {
        var numbers = Numbers(200_000 * ScaledBlocks.Elements);

        Assert.Equal(ScaledBlocks.Of(numbers), Transform(numbers, int.MaxValue, new ScaledBlocks()));
    }

    [Fact]
    public void Transforms_follow_each_other()
    {
        var numbers = Numbers(100 * ScaledBlocks.Elements);
        var bigEndian = numbers.Chunk(4).SelectMany(number => number.Reverse()).ToArray();

        Assert.Equal(ScaledBlocks.Of(numbers), Transform(bigEndian, maxChunk: 50, new ByteSwap(4), new ScaledBlocks()));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Numbers_change_their_byte_order(int size)
    {
        var bytes = new byte[1000 * size];
        new Random(size).NextBytes(bytes);

        Assert.Equal(bytes.Chunk(size).SelectMany(number => number.Reverse()), Transform(bytes, maxChunk: 13, new ByteSwap(size)));
    }

    private static byte[] Numbers(int count)
    {
        var random = new Random(count);
        return MemoryMarshal.AsBytes<float>(Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f).ToArray()).ToArray();
    }

    private static byte[] Transform(byte[] bytes, int maxChunk, params IBlockTransform[] transforms)
    {
        using var result = new MemoryStream();
        var sinks = new Stack<TransformSink>();

        foreach (var transform in transforms.Reverse())
        {
            sinks.Push(new TransformSink(transform, sinks.TryPeek(out var next) ? next.Write : chunk => result.Write(chunk)));
        }

        for (var at = 0; at < bytes.Length; at += Math.Min(maxChunk, bytes.Length - at))
        {
            sinks.Peek().Write(bytes.AsSpan(at, Math.Min(maxChunk, bytes.Length - at)).ToArray());
        }

        foreach (var sink in sinks)
        {
            sink.Dispose();
        }

        return result.ToArray();
    }
}
