using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Transfer;

public class RunReaderTests
{
    private static readonly DType[] DTypes = [DType.UInt8, DType.BFloat16, DType.Float32, DType.Float64, DType.Complex128];

    [Fact]
    public void Reads_any_view_as_a_naive_loop_does()
    {
        var random = new Random(1);

        for (var round = 0; round < 4000; round++)
        {
            var view = RandomView(random);
            var run = TensorRun.Of(view);

            Assert.True(view.Read().AsSpan().SequenceEqual(run.Bytes), $"round {round}: {view}");
            Assert.All(run.ChunkLengths, length => Assert.Equal(0, length % view.DType.GetItemSize()));
        }
    }

    [Theory]
    [InlineData(new long[] { 0 })]
    [InlineData(new long[] { 0, 3 })]
    [InlineData(new long[] { 3, 0 })]
    [InlineData(new long[] { 2, 0, 3 })]
    public void Reads_nothing_of_an_empty_tensor(long[] shape)
    {
        var run = TensorRun.Of(NaiveView.Contiguous(new byte[40], DType.Float32, shape));

        Assert.Empty(run.Bytes);
        Assert.Equal(0, run.ReadCount);
    }

    private static NaiveView RandomView(Random random)
    {
        var dtype = DTypes[random.Next(DTypes.Length)];
        var sizes = Enumerable.Range(0, random.Next(5)).Select(_ => (long)random.Next(1, 7)).ToArray();
        var storage = new byte[sizes.Aggregate(dtype.GetItemSize(), (product, size) => product * (int)size)];
        random.NextBytes(storage);

        var view = NaiveView.Contiguous(storage, dtype, sizes);

        for (var steps = random.Next(4); steps > 0; steps--)
        {
            view = Change(view, random);
        }

        return view;
    }

    private static NaiveView Change(NaiveView view, Random random)
    {
        if (view.Sizes.Length == 0 || random.Next(3) == 0)
        {
            return view.Expand(random.Next(view.Sizes.Length + 1), random.Next(1, 5));
        }

        if (random.Next(2) == 0)
        {
            var dims = Enumerable.Range(0, view.Sizes.Length).ToArray();
            random.Shuffle(dims);
            return view.Permute(dims);
        }

        var dim = random.Next(view.Sizes.Length);
        var start = random.NextInt64(view.Sizes[dim]);
        return view.Slice(dim, start, random.NextInt64(start + 1, view.Sizes[dim] + 1), random.Next(1, 4));
    }
}
