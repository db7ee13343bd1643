namespace Fairseq2Llama.Tests.Llama;

public class ArchitectureMatcherTests
{
    public static TheoryData<string> Names => [.. LlamaArchitectures.All.Select(architecture => architecture.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_of_the_catalogue_is_recognized_whatever_the_length_of_its_sequences(string name)
    {
        var known = LlamaArchitectures.Find(name);
        var told = known with { Name = "told", MaxSeqLen = 1, AssetNames = [], ShardEmbedDim = !known.ShardEmbedDim, NormEps = 1e-6 };

        var found = ArchitectureMatcher.Like(told);

        Assert.Contains(known with { NormEps = 1e-6 }, found);
        Assert.All(found, like => Assert.Equal(told.ModelDim, like.ModelDim));
    }

    [Fact]
    public void What_differs_in_the_length_of_sequences_or_scaling_is_alike() => Assert.Equal(
        ["llama3_8b", "llama3_1_8b"], ArchitectureMatcher.Like(LlamaArchitectures.Find("llama3_1_8b")).Select(architecture => architecture.Name));

    [Fact]
    public void Another_is_not() =>
        Assert.Empty(ArchitectureMatcher.Like(LlamaArchitectures.Find("llama3_1_8b") with { NumKeyValueHeads = 4 }));
}
