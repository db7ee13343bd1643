namespace Fairseq2Llama.Tests.Llama;

public class KnownArchitectureTests
{
    public static TheoryData<string> Names => [.. LlamaArchitectures.All.Select(architecture => architecture.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_of_the_catalogue_is_recognized_up_to_the_length_of_its_sequences(string name)
    {
        var known = LlamaArchitectures.Find(name);
        var told = known with { Name = "told", MaxSeqLen = 1, AssetNames = [], ShardEmbedDim = !known.ShardEmbedDim, NormEps = 1e-6 };

        var found = KnownArchitecture.Like(told);

        Assert.NotNull(found);
        Assert.Equal(1e-6, found.NormEps);
        Assert.Equal(known with { Name = "", MaxSeqLen = 1, AssetNames = [] }, found with { Name = "", MaxSeqLen = 1, AssetNames = [], NormEps = known.NormEps });
    }

    [Fact]
    public void Another_is_not() =>
        Assert.Null(KnownArchitecture.Like(LlamaArchitectures.Find("llama3_1_8b") with { NumKeyValueHeads = 4 }));
}
