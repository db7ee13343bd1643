using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Reading;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Reading;

public class WindowReaderTests
{
    private const int Rows = 3 * 384;
    private const int Columns = 1200;

    /// <summary>Rows that are divided into several windows, and in the one tensor into other heads than in the other.</summary>
    [Theory]
    [InlineData(96, 64)]
    [InlineData(64, 96)]
    [InlineData(null, 96)]
    [InlineData(128, null)]
    [InlineData(null, null)]
    public void Windows_of_two_tensors_are_those_of_each(int? leftHeadDim, int? rightHeadDim)
    {
        var source = new MemorySource(RandomBytes());
        var (left, right) = (Tensor(source, Rows, Columns, leftHeadDim), Tensor(source, Rows, Columns, rightHeadDim));
        using var data = new TensorData([left, right], CancellationToken.None);

        var windows = new WindowReader(data, _ => { }).Map(left, right, (leftBytes, rightBytes) => (Left: leftBytes.ToArray(), Right: rightBytes.ToArray()));

        Assert.True(windows.Length > 1);
        Assert.True(TensorBytes.Of(left.ToStorage()).AsSpan().SequenceEqual(windows.SelectMany(window => window.Left).ToArray()));
        Assert.True(TensorBytes.Of(right.ToStorage()).AsSpan().SequenceEqual(windows.SelectMany(window => window.Right).ToArray()));
    }

    /// <summary>Parts have no checksum of their own in a file, and together they have.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Windows_are_verified_without_reading_them_again(byte damage)
    {
        var bytes = RandomBytes();
        var source = new MemorySource(bytes);
        var tensor = Tensor(source, Rows, Columns, null, crc: Crc(bytes));
        bytes[^1] ^= damage;
        using var data = new TensorData([tensor], CancellationToken.None);

        var error = Record.Exception(() => new WindowReader(data, _ => { }).Map(tensor, window => window.Length));

        Assert.Equal(damage == 0 ? null : CheckpointErrorCode.CheckpointCorrupt, (error as CheckpointException)?.Code);
        Assert.Equal(bytes.Length, source.BytesRead);
    }

    [Fact]
    public void What_is_not_read_to_the_end_is_verified_all_the_same()
    {
        var bytes = RandomBytes();
        var (left, right) = (Tensor(new MemorySource(bytes), Rows, Columns, null, Crc(bytes)), Tensor(new MemorySource(bytes), Rows, Columns, null, Crc(bytes) ^ 1));
        using var data = new TensorData([left, right], CancellationToken.None);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => new WindowReader(data, _ => { }).All(left, right, (_, _) => false));
    }

    private static byte[] RandomBytes()
    {
        var bytes = new byte[Rows * Columns * sizeof(float)];
        new Random(3).NextBytes(bytes);
        return bytes;
    }

    private static uint Crc(byte[] bytes)
    {
        var crc = ThirdParty.CreateCrc32();
        crc.Append(bytes);
        return crc.GetAndReset();
    }

    private static CheckpointTensor Tensor(MemorySource source, long rows, long columns, int? headDim, uint? crc = null)
    {
        var storage = new StoredBytes { Source = source, Record = "data/0", Offset = 0, Length = source.Length, Crc32 = crc };
        var tensor = new TensorView(storage, DType.Float32, 0, new TensorShape(rows, columns), [columns, 1]);

        return new CheckpointTensor(
            ParameterName.Parse("tensor", NamingConvention.HuggingFace), DType.Float32, tensor.Shape, null, [[new TensorPart(tensor)]], [])
        {
            HalfSplitHeadDim = headDim,
        };
    }
}
