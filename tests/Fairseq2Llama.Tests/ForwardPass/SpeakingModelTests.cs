using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>
/// A model that was trained and tells stories must tell them after its conversion. Where it does not lie beside the repository these tests
/// are skipped.
/// </summary>
public sealed class SpeakingModelTests : IDisposable
{
    private const int Bos = 1;

    private const string Story = " Once upon a time, there was a little girl named Lily. She loved to play outside in the park.";

    private static readonly string Checkpoints = Path.GetFullPath(Path.Combine(Repository.Root, "..", "shared", "fixtures", "stories260k"));

    /// <summary>For those that have no model.yaml: the shapes don't tell the number of heads.</summary>
    private static readonly LlamaArchitecture Architecture = new()
    {
        Name = "stories260k",
        ModelDim = 64,
        NumLayers = 5,
        NumAttnHeads = 8,
        NumKeyValueHeads = 4,
        VocabSize = 512,
        FfnInnerDimMultipleOf = 4,
    };

    /// <summary>How the story begins. The likeliest logit is ahead of the next by 0.1 and more each time, so rounding decides nothing.</summary>
    private static readonly int[] Beginning = [403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426];

    private readonly TempFolder _out = new();

    public void Dispose() => _out.Dispose();

    [Theory]
    [InlineData("single")]
    [InlineData("tp2")]
    [InlineData("run-v04")]
    [InlineData("run-v08")]
    public void A_converted_model_tells_its_story(string checkpoint)
    {
        Require();

        foreach (var shardCount in new int?[] { null, 1, 2, 4 })
        {
            var folder = _out[$"{shardCount}"];
            Export(checkpoint, folder, new ReferenceExportOptions { ShardCount = shardCount });

            using var model = ReferenceModel.Load(folder);
            AssertTellsStory(model);
        }
    }

    [Theory]
    [InlineData("single")]
    [InlineData("tp2")]
    [InlineData("run-v04")]
    [InlineData("run-v08")]
    public void A_model_tells_its_story_by_Hugging_Face_s_convention(string checkpoint)
    {
        Require();

        foreach (var maxSize in new[] { long.MaxValue, 100_000 })
        {
            var folder = _out[$"{maxSize}"];
            Export(checkpoint, folder, new HuggingFaceExportOptions { MaxShardSize = maxSize });

            using var model = HuggingFaceModel.Load(folder);
            AssertTellsStory(model);
        }
    }

    [Fact]
    public void A_model_tells_its_story_after_a_way_through_all_formats()
    {
        Require();
        Export("tp2", _out["hf"], new HuggingFaceExportOptions());
        CheckpointExport.Plan(LlamaHuggingFaceCheckpoint.Read(_out["hf"]), _out["reference"], new ReferenceExportOptions { ShardCount = 2 }).Execute();
        CheckpointExport.Plan(LlamaReferenceCheckpoint.Read(_out["reference"]), _out["fairseq2"], new Fairseq2ExportOptions()).Execute();
        CheckpointExport.Plan(Fairseq2Checkpoint.Read(_out["fairseq2"]), _out["again"], new HuggingFaceExportOptions()).Execute();

        using var model = HuggingFaceModel.Load(_out["again"]);

        AssertTellsStory(model);
    }

    private static void Require()
    {
        Assert.SkipUnless(Directory.Exists(Checkpoints), $"needs a trained model in '{Checkpoints}'");
        LibTorch.Require();
    }

    private static void Export(string checkpoint, string folder, ExportOptions options)
    {
        var hasConfig = checkpoint.StartsWith("run-", StringComparison.Ordinal);
        var told = options with { Architecture = hasConfig ? null : Architecture };

        CheckpointExport.Plan(Fairseq2Checkpoint.Read(Path.Combine(Checkpoints, checkpoint)), folder, told).Execute();
    }

    private static void AssertTellsStory(ReferenceModel model)
    {
        var tokens = model.Greedy([Bos], 31);

        Assert.Equal(Beginning, tokens[..Beginning.Length]);
        Assert.Equal(Story, new Vocabulary(Path.Combine(Checkpoints, "tok512.bin")).Decode(tokens));
    }
}
