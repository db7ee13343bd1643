using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>
/// What fairseq2's weights say, a model says by Hugging Face's convention, too, once it is exported, and by any other after more exports.
/// </summary>
public sealed class HuggingFaceExportLogitsTests : IDisposable
{
    /// <summary>Of the largest logit. Rounding to float32 changes 3e-7 of it here, the least of the mistakes below 4e-4.</summary>
    private const double Tolerance = 1e-5;

    private readonly TempFolder _out = new();

    public static TheoryData<string> Names => [.. ExpectedLogits.Names];

    public void Dispose() => _out.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void An_exported_model_says_what_it_said_before(string name)
    {
        LibTorch.Require();
        var expected = ExpectedLogits.Of(name);

        foreach (var checkpoint in expected.Checkpoints)
        {
            foreach (var maxSize in new[] { long.MaxValue, 1000 })
            {
                var distance = expected.DistanceTo(HuggingFaceModel.Logits(Export(expected, checkpoint, maxSize), expected.Tokens));
                Assert.True(distance < Tolerance, $"{checkpoint} in files of {maxSize}: {distance:e2}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_model_that_went_through_Hugging_Face_s_format_says_what_it_said_before(string name)
    {
        LibTorch.Require();
        var expected = ExpectedLogits.Of(name);
        var exported = LlamaHuggingFaceCheckpoint.Read(Export(expected, expected.Checkpoints[0], long.MaxValue));

        CheckpointExport.Plan(exported, _out["reference"], new ReferenceExportOptions { ShardCount = 1, ParamsLayout = ParamsLayout.Flat }).Execute();
        CheckpointExport.Plan(exported, _out["fairseq2"], new Fairseq2ExportOptions()).Execute();

        using var reference = ReferenceModel.Load(_out["reference"], expected.RopeScaleFactor ?? 8);
        using var fairseq2 = CheckpointModel.Of(Fairseq2Checkpoint.Read(_out["fairseq2"]), exported.Architecture);
        Assert.True(expected.DistanceTo(reference.Logits(expected.Tokens)) < Tolerance);
        Assert.True(expected.DistanceTo(fairseq2.Logits(expected.Tokens)) < Tolerance);
    }

    [Theory]
    [InlineData("float32")]
    [InlineData("attentive")]
    [InlineData("LLaMA 3.1")]
    public void Rows_in_the_order_of_the_other_formats_are_not_the_same(string name)
    {
        LibTorch.Require();
        var expected = ExpectedLogits.Of(name);
        var folder = Export(expected, expected.Checkpoints[0], long.MaxValue);
        var weights = HuggingFaceWeights.Load(folder);

        using (var keys = weights["layers.0.attention.wk.weight"])
        {
            weights["layers.0.attention.wk.weight"] = keys.view(expected.NumKvHeads, 2, -1, keys.shape[1]).transpose(1, 2).reshape(keys.shape);
        }

        using var model = new ReferenceModel(HuggingFaceArgs.Read(folder), weights) { Rotation = RotateHalf.Apply };

        Assert.True(expected.DistanceTo(model.Logits(expected.Tokens)) > 10 * Tolerance);
    }

    /// <returns>The folder.</returns>
    private string Export(ExpectedLogits expected, string checkpoint, long maxSize)
    {
        var options = new HuggingFaceExportOptions { Architecture = expected.ArchitectureOf(checkpoint), MaxShardSize = maxSize };
        var folder = _out[$"{checkpoint}-{maxSize}"];

        CheckpointExport.Plan(Fairseq2Checkpoint.Read(Repository.Data(checkpoint)), folder, options).Execute();
        return folder;
    }
}
