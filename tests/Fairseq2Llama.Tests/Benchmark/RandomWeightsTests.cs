using Fairseq2Llama.Benchmark;

namespace Fairseq2Llama.Tests.Benchmark;

public sealed class RandomWeightsTests
{
    [Fact]
    public void Are_the_same_at_the_same_place_however_they_are_read()
    {
        var (whole, part) = (new byte[107], new byte[43]);
        using var reader = new RandomWeights().Open();

        reader.Read(1 << 20, whole);
        reader.Read((1 << 20) + 64, part);

        Assert.Equal(whole[64..], part);
        Assert.True(whole.Distinct().Count() > 50);
    }
}
