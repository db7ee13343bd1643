using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>
/// A LoRA that was trained on a model that tells stories, so that it tells another one (tests/data/lora): merged, it says what PyTorch says with weights and LoRA side by side. Where the model
/// does not lie beside the repository these tests are skipped.
/// </summary>
public sealed class AdaptedModelTests : IDisposable
{
    private static readonly string Data = Path.Combine(Repository.Root, "tests", "data", "lora");

    private readonly TempFolder _out = new();

    public void Dispose() => _out.Dispose();

    /// <summary>The adapter has rows in Hugging Face's order, and the files of fairseq2 and Meta do not.</summary>
    [Theory]
    [InlineData("fairseq2")]
    [InlineData("reference")]
    [InlineData("huggingface")]
    [InlineData("gguf")]
    public void A_merged_model_says_what_the_unmerged_sum_says(string format)
    {
        StoriesModel.Require();
        using var spoken = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Data, "spoken.json")));
        int[] tokens = [.. spoken.RootElement.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32())];
        float[] logits = [.. spoken.RootElement.GetProperty("logits").EnumerateArray().Select(logit => logit.GetSingle())];

        CheckpointExport.Plan(LoraMerge.Of(ReadAs(format), Path.Combine(Data, "adapter")), _out["merged"], new ReferenceExportOptions { ShardCount = 1 }).Execute();

        using var model = ReferenceModel.Load(_out["merged"]);
        Assert.Equal(tokens[1..], model.Greedy(tokens[..1], tokens.Length - 1));
        Assert.InRange(LogitDistance.Between([logits], model.Logits(tokens)[^1..]), 0, 1e-5);
    }

    private LlamaCheckpoint ReadAs(string format)
    {
        var source = Fairseq2Checkpoint.Read(Path.Combine(StoriesModel.Checkpoints, "run-v08"));

        if (format == "fairseq2")
        {
            return source;
        }

        ExportOptions options = format switch
        {
            "reference" => new ReferenceExportOptions { ShardCount = 2 },
            "huggingface" => new HuggingFaceExportOptions(),
            _ => StoriesModel.ToGguf(_out.Path, DType.Float32),
        };

        CheckpointExport.Plan(source, _out[format], options with { Architecture = StoriesModel.Architecture }).Execute();
        return CheckpointReader.Read(format == "gguf" ? Path.Combine(_out[format], "stories.gguf") : _out[format]);
    }
}
