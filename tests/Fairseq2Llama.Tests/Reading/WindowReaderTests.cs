using Fairseq2Llama.Reading;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Reading;

public class WindowReaderTests
{
    /// <summary>Rows that are divided into several windows, and in the one tensor into other heads than in the other.</summary>
    [Theory]
    [InlineData(96, 64)]
    [InlineData(64, 96)]
    [InlineData(null, 96)]
    [InlineData(128, null)]
    [InlineData(null, null)]
    public void Windows_of_two_tensors_are_those_of_each(int? leftHeadDim, int? rightHeadDim)
    {
        const int Rows = 3 * 384;
        const int Columns = 1500;

        var bytes = new byte[Rows * Columns * sizeof(float)];
        new Random(3).NextBytes(bytes);
        var (left, right) = (Tensor(bytes, Rows, Columns, leftHeadDim), Tensor(bytes, Rows, Columns, rightHeadDim));
        using var data = new TensorData([left, right], CancellationToken.None);

        var windows = new WindowReader(data, _ => { }).Map(left, right, (leftBytes, rightBytes) => (Left: leftBytes.ToArray(), Right: rightBytes.ToArray()));

        Assert.True(windows.Length > 1);
        Assert.True(TensorBytes.Of(left.ToStorage()).AsSpan().SequenceEqual(windows.SelectMany(window => window.Left).ToArray()));
        Assert.True(TensorBytes.Of(right.ToStorage()).AsSpan().SequenceEqual(windows.SelectMany(window => window.Right).ToArray()));
    }

    private static CheckpointTensor Tensor(byte[] bytes, long rows, long columns, int? headDim)
    {
        var source = new MemorySource(bytes);
        var storage = new StoredBytes { Source = source, Record = "data/0", Offset = 0, Length = bytes.Length };
        var tensor = new TensorView(storage, DType.Float32, 0, new TensorShape(rows, columns), [columns, 1]);

        return new CheckpointTensor(
            ParameterName.Parse("tensor", NamingConvention.HuggingFace), DType.Float32, tensor.Shape, null, [[new TensorPart(tensor)]], [])
        {
            HalfSplitHeadDim = headDim,
        };
    }
}
