using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Tensors;

/// <summary>Views of several MB, which are read in more than one piece, against the naive loop.</summary>
public class LargeViewTests
{
    private static readonly Dictionary<string, Func<NaiveView>> Known = new()
    {
        ["a whole storage"] = () => Float32(3_000_001),
        ["a part of a storage"] = () => Float32(3_000_001).Slice(0, 1, 2_900_000),
        ["a transposed matrix"] = () => Float32(3000, 1500).Permute(1, 0),
        ["a transposed matrix of bytes"] = () => Contiguous(DType.UInt8, 3001, 1777).Permute(1, 0),
        ["a transposed matrix with few rows"] = () => Float32(2, 1_000_000).Permute(1, 0),
        ["a transposed matrix with few columns"] = () => Float32(1_000_000, 2).Permute(1, 0),
        ["columns far apart"] = () => Float32(40, 100_000).Slice(1, 10, 30_010),
        ["columns close together"] = () => Float32(3000, 1000).Slice(1, 3, 998),
        ["few columns far apart"] = () => Float32(2000, 2000).Slice(1, 5, 7),
        ["one column"] = () => Float32(3000, 1000).Slice(1, 5, 6),
        ["every second element"] = () => Float32(3_000_000).Slice(0, 0, 3_000_000, 2),
        ["every second element of 2 bytes"] = () => Contiguous(DType.BFloat16, 5_000_001).Slice(0, 1, 5_000_001, 2),
        ["every hundredth element"] = () => Float32(3_000_000).Slice(0, 7, 3_000_000, 100),
        ["every second row"] = () => Float32(3000, 1000).Slice(0, 0, 3000, 2),
        ["an expanded scalar"] = () => Float32(1).Slice(0, 0, 1).Expand(0, 3_000_000),
        ["an expanded row"] = () => Float32(1000).Expand(0, 3000),
        ["an expanded column"] = () => Float32(3000).Expand(1, 1000),
        ["matrices, each transposed and larger than a band"] = () => Float32(2, 2100, 2000).Permute(0, 2, 1),
        ["matrices, each transposed and as large as a band"] = () => Float32(2, 2048, 2048).Permute(0, 2, 1),
        ["a cube turned over"] = () => Float32(100, 200, 150).Permute(2, 1, 0),
        ["a cube turned to the left"] = () => Float32(100, 200, 150).Permute(1, 2, 0),
        ["a cube turned to the right"] = () => Float32(100, 200, 150).Permute(2, 0, 1),
        ["a cube expanded within and sliced"] = () => Float32(90, 80, 70).Slice(2, 3, 60, 3).Expand(1, 5).Permute(3, 1, 0, 2),
        ["rows as long as a window, far apart"] = () => Float32(4, 400_000).Slice(1, 0, 262_144),
        ["complex numbers, transposed"] = () => Contiguous(DType.Complex128, 700, 900).Permute(1, 0),
    };

    public static TheoryData<string> Kinds => [.. Known.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Reads(string what)
    {
        var view = Known[what]();
        var run = TensorRun.Of(view);

        Assert.True(view.Read().AsSpan().SequenceEqual(run.Bytes), $"{view}");
        Assert.All(run.ChunkLengths, length => Assert.Equal(0, length % view.DType.GetItemSize()));
    }

    [Fact]
    public void A_chunk_is_never_more_than_a_few_megabytes() =>
        Assert.All(TensorRun.Of(Float32(3000, 1500).Permute(1, 0)).ChunkLengths, length => Assert.InRange(length, 1, 16 << 20));

    [Theory]
    [InlineData("a transposed matrix", 4_500_000)]
    [InlineData("every second element", 1_500_000)]
    [InlineData("an expanded scalar", 3_000_000)]
    public void Does_not_read_each_element_by_itself(string what, int elements) =>
        Assert.InRange(TensorRun.Of(Known[what]()).ReadCount, 1, elements / 100);

    private static NaiveView Float32(params long[] sizes) => Contiguous(DType.Float32, sizes);

    private static NaiveView Contiguous(DType dtype, params long[] sizes)
    {
        var storage = new byte[sizes.Aggregate((long)dtype.GetItemSize(), (product, size) => product * size)];
        new Random(2).NextBytes(storage);
        return NaiveView.Contiguous(storage, dtype, sizes);
    }
}
