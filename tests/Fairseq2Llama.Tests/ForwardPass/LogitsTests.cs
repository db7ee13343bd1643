using Fairseq2Llama.Tests.Support;
using static TorchSharp.torch;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>A converted model must say what PyTorch computed from fairseq2's weights, and a wrong conversion must be noticed.</summary>
public sealed class LogitsTests : IDisposable
{
    /// <summary>Of the largest logit. Rounding to float32 changes 3e-7 of it here, the least of the mistakes below 4e-4.</summary>
    private const double Tolerance = 1e-5;

    private readonly TempFolder _out = new();

    public static TheoryData<string> Names => [.. ExpectedLogits.Names];

    public void Dispose() => _out.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_converted_model_says_what_it_said_before(string name)
    {
        LibTorch.Require();
        var expected = ExpectedLogits.Of(name);

        foreach (var checkpoint in expected.Checkpoints)
        {
            // Each rank has a key/value head at least.
            for (var shardCount = 1; shardCount <= expected.NumKvHeads; shardCount++)
            {
                using var model = ReferenceModel.Load(Export(expected, checkpoint, shardCount), expected.RopeScaleFactor ?? 8);

                var distance = expected.DistanceTo(model.Logits(expected.Tokens));
                Assert.True(distance < Tolerance, $"{checkpoint} in {shardCount}: {distance:e2}");
            }
        }
    }

    [Fact]
    public void Gate_and_inner_projection_are_not_the_same() => AssertNoticed(
        "float32", weights =>
        {
            const string Gate = "layers.0.feed_forward.w1.weight", Inner = "layers.0.feed_forward.w3.weight";
            (weights[Gate], weights[Inner]) = (weights[Inner], weights[Gate]);
        });

    [Theory]
    [InlineData("float32")]
    [InlineData("attentive")]
    public void Rotary_rows_in_the_order_of_Hugging_Face_are_not_the_same(string name) => AssertNoticed(
        name, weights =>
        {
            const string Queries = "layers.0.attention.wq.weight";

            using var rows = weights[Queries];
            weights[Queries] = rows.view(TinyModel.Architecture.NumAttnHeads, -1, 2, rows.shape[1]).transpose(1, 2).reshape(rows.shape);
        });

    [Fact]
    public void The_factor_of_the_scaled_encoding_is_not_all_the_same()
    {
        LibTorch.Require();
        var expected = ExpectedLogits.Of("LLaMA 3.1");

        using var model = ReferenceModel.Load(Export(expected, expected.Checkpoints[0], 1), ropeScaleFactor: 32);

        Assert.True(expected.DistanceTo(model.Logits(expected.Tokens)) > 10 * Tolerance);
    }

    private void AssertNoticed(string name, Action<Dictionary<string, Tensor>> mistake)
    {
        LibTorch.Require();
        var expected = ExpectedLogits.Of(name);
        var folder = Export(expected, expected.Checkpoints[0], 1);
        var args = ModelArgs.Read(folder);
        var weights = ReferenceWeights.Load(folder, args);
        mistake(weights);

        using var model = new ReferenceModel(args, weights);

        Assert.True(expected.DistanceTo(model.Logits(expected.Tokens)) > 10 * Tolerance);
    }

    /// <returns>The folder.</returns>
    private string Export(ExpectedLogits expected, string checkpoint, int shardCount)
    {
        var options = new ReferenceExportOptions
        {
            Architecture = expected.ArchitectureOf(checkpoint),
            ShardCount = shardCount,
            // The nested form can't say that the encoding is scaled.
            ParamsLayout = expected.RopeScaleFactor is null ? ParamsLayout.Nested : ParamsLayout.Flat,
        };
        var folder = _out[$"{checkpoint}-{shardCount}"];

        CheckpointExport.Plan(Fairseq2Checkpoint.Read(Repository.Data(checkpoint)), folder, options).Execute();
        return folder;
    }
}
