using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Tensors;

/// <summary>Runs that are repeated and yet longer than a window: rows of more than 1 MB.</summary>
public class LongRunTests
{
    private static readonly Dictionary<string, Func<NaiveView>> Known = new()
    {
        ["columns of long rows"] = () => Float32(3, 600_000).Slice(1, 5, 500_000),
        ["an expanded long row"] = () => Float32(300_000).Expand(0, 3),
        ["every second long row"] = () => Float32(5, 300_000).Slice(0, 0, 5, 2),
        ["long rows in another order"] = () => Float32(2, 3, 300_000).Permute(1, 0, 2),
        ["rows one element longer than a window"] = () => Float32(3, 300_000).Slice(1, 0, 262_145),
        ["rows as long as a band"] = () => Float32(2, 4_200_000).Slice(1, 0, 1 << 22),
        ["rows longer than a band"] = () => Float32(2, 4_200_000).Slice(1, 0, (1 << 22) + 1),
    };

    public static TheoryData<string> Kinds => [.. Known.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Reads(string what)
    {
        var view = Known[what]();

        Assert.True(view.Read().AsSpan().SequenceEqual(TensorRun.Of(view).Bytes), $"{view}");
    }

    private static NaiveView Float32(params long[] sizes)
    {
        var storage = new byte[sizes.Aggregate(4L, (product, size) => product * size)];
        new Random(2).NextBytes(storage);
        return NaiveView.Contiguous(storage, DType.Float32, sizes);
    }
}
