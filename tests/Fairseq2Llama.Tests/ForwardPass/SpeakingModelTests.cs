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
        StoriesModel.Require();

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
        StoriesModel.Require();

        foreach (var maxSize in new[] { long.MaxValue, 100_000 })
        {
            var folder = _out[$"{maxSize}"];
            Export(checkpoint, folder, new HuggingFaceExportOptions { MaxShardSize = maxSize });

            using var model = HuggingFaceModel.Load(folder);
            AssertTellsStory(model);
        }
    }

    [Theory]
    [InlineData("single", DType.Float32)]
    [InlineData("tp2", DType.Float16)]
    [InlineData("run-v04", DType.BFloat16)]
    [InlineData("run-v08", DType.Q8_0)]
    public void A_model_tells_its_story_in_llama_cpp(string checkpoint, DType type)
    {
        StoriesModel.Require();

        foreach (var (maxSize, file) in new (long?, string)[] { (null, "stories.gguf"), (100_000, "stories-00001-of-*.gguf") })
        {
            var folder = _out[$"{maxSize}"];
            Export(checkpoint, folder, StoriesModel.ToGguf(_out.Path, type) with { MaxShardSize = maxSize });

            using var llama = LlamaCpp.Load(Directory.GetFiles(folder, file).Single());
            AssertTellsStory(llama.Greedy);
            Assert.Equal([Bos, .. Beginning], llama.Tokenize("Once upon a time, there was a little girl named Lily."));
        }
    }

    /// <summary>Rows in the wrong order, in a single tensor of a single layer, change logits by a quarter of the largest.</summary>
    [Theory]
    [InlineData(DType.Float32, 1e-5)]
    [InlineData(DType.Float16, 3e-3)]
    [InlineData(DType.BFloat16, 3e-2)]
    [InlineData(DType.Q8_0, 6e-2)]
    public void In_llama_cpp_a_model_says_what_it_said_before(DType type, double tolerance)
    {
        StoriesModel.Require();
        Export("run-v08", _out["reference"], new ReferenceExportOptions { ShardCount = 1 });
        Export("run-v08", _out["gguf"], StoriesModel.ToGguf(_out.Path, type));

        using var original = ReferenceModel.Load(_out["reference"]);
        using var llama = LlamaCpp.Load(Path.Combine(_out["gguf"], "stories.gguf"));
        int[] tokens = [Bos, .. original.Greedy([Bos], 100)];

        var distance = LogitDistance.Between(original.Logits(tokens), llama.Logits(tokens));

        Assert.True(distance < tolerance, $"{distance:e2}");
    }

    [Fact]
    public void A_model_tells_its_story_after_a_way_through_all_formats()
    {
        StoriesModel.Require();
        Export("tp2", _out["hf"], new HuggingFaceExportOptions());
        CheckpointExport.Plan(LlamaHuggingFaceCheckpoint.Read(_out["hf"]), _out["reference"], new ReferenceExportOptions { ShardCount = 2 }).Execute();
        CheckpointExport.Plan(LlamaReferenceCheckpoint.Read(_out["reference"]), _out["fairseq2"], new Fairseq2ExportOptions()).Execute();
        CheckpointExport.Plan(Fairseq2Checkpoint.Read(_out["fairseq2"]), _out["again"], new HuggingFaceExportOptions()).Execute();

        using var model = HuggingFaceModel.Load(_out["again"]);

        AssertTellsStory(model);
    }

    private static void Export(string checkpoint, string folder, ExportOptions options)
    {
        var hasConfig = checkpoint.StartsWith("run-", StringComparison.Ordinal);
        var told = options with { Architecture = hasConfig ? null : StoriesModel.Architecture };

        CheckpointExport.Plan(Fairseq2Checkpoint.Read(Path.Combine(StoriesModel.Checkpoints, checkpoint)), folder, told).Execute();
    }

    private static void AssertTellsStory(ReferenceModel model) => AssertTellsStory(model.Greedy);

    /// <param name="greedy">Of some tokens and a count, the tokens that follow.</param>
    private static void AssertTellsStory(Func<IReadOnlyList<int>, int, int[]> greedy)
    {
        var tokens = greedy([Bos], 31);

        Assert.Equal(Beginning, tokens[..Beginning.Length]);
        Assert.Equal(Story, new Vocabulary(Path.Combine(StoriesModel.Checkpoints, "tok512.bin")).Decode(tokens));
    }
}
