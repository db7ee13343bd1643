using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>Models in Hugging Face's format say there what PyTorch computed from fairseq2's weights, and say it still as the module reads them.</summary>
public sealed class HuggingFaceLogitsTests
{
    /// <summary>Of the largest logit. Rounding to float32 changes 3e-7 of it here, the other rotation 4e-4.</summary>
    private const double Tolerance = 1e-5;

    [Theory]
    [InlineData("single", "float32")]
    [InlineData("sharded", "float32")]
    [InlineData("tied", "tied")]
    public void A_model_says_what_fairseq2_s_weights_say(string name, string original)
    {
        LibTorch.Require();
        var expected = ExpectedLogits.Of(original);

        Assert.True(expected.DistanceTo(HuggingFaceModel.Logits(FolderOf(name), expected.Tokens)) < Tolerance);
    }

    [Theory]
    [InlineData("single")]
    [InlineData("sharded")]
    [InlineData("tied")]
    [InlineData("half")]
    public void A_model_says_the_same_as_the_module_reads_it(string name)
    {
        LibTorch.Require();
        var tokens = ExpectedLogits.Of("float32").Tokens;

        using var read = CheckpointModel.Of(LlamaHuggingFaceCheckpoint.Read(FolderOf(name)));

        Assert.True(LogitDistance.Between(HuggingFaceModel.Logits(FolderOf(name), tokens), read.Logits(tokens)) < Tolerance);
    }

    [Theory]
    [InlineData("single", "float32")]
    [InlineData("tied", "tied")]
    public void Which_numbers_make_a_pair_is_not_all_the_same(string name, string original)
    {
        LibTorch.Require();
        var expected = ExpectedLogits.Of(original);

        using var model = new ReferenceModel(HuggingFaceArgs.Read(FolderOf(name)), HuggingFaceWeights.Load(FolderOf(name)))
        {
            Rotation = InterleavedRotation.Apply,
        };

        Assert.True(expected.DistanceTo(model.Logits(expected.Tokens)) > 10 * Tolerance);
    }

    private static string FolderOf(string name) => Repository.Data($"huggingface/{name}");
}
