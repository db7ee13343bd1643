using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Merging;

/// <summary>What PyTorch says a merge should give: see merging.py.</summary>
internal static class PyTorchMerge
{
    private static readonly string Script = Path.Combine(Repository.Root, "tests", "Fairseq2Llama.Tests", "Merging", "merging.py");

    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static string Ask(params string[] arguments) => PyTorch.Ask(File.ReadAllText(Script), arguments);

    /// <summary>Writes the average of files.</summary>
    public static string Average(string expected, IEnumerable<double> weights, IEnumerable<string> files)
    {
        Ask(["average", expected, JsonSerializer.Serialize(weights), .. files]);
        return expected;
    }

    /// <summary>Writes an adapter of PEFT for a model, without its config, and the model with it.</summary>
    public static void WritePeft(string folder, string model, string expected, LoraSpec spec) => Ask("peft", folder, model, expected, JsonSerializer.Serialize(spec, Options));

    /// <summary>Writes a model with a LoRA of fairseq2 in it (whole.pt), the LoRA alone (adapter.pt), and the model with it merged.</summary>
    public static void WriteNative(string folder, string model, string expected, LoraSpec spec) => Ask("native", folder, model, expected, JsonSerializer.Serialize(spec, Options));

    /// <summary>Fails with what differs.</summary>
    /// <param name="expected">A file of PyTorch.</param>
    /// <param name="actual">A fairseq2 checkpoint of one file.</param>
    /// <param name="ulps">By how many units in the last place numbers may differ; 0 also compares the signs of zeros.</param>
    public static void AssertSame(string expected, LlamaCheckpoint actual, int ulps = 0)
    {
        var answer = Ask("compare", expected, actual.Files.Single(file => file.EndsWith(".pt", StringComparison.Ordinal)), $"{ulps}");
        Assert.Matches(@"^\d+ compared$", answer);
    }
}

/// <summary>A LoRA that PyTorch shall make.</summary>
/// <param name="Modules">What it adapts.</param>
internal sealed record LoraSpec(params LoraModule[] Modules)
{
    /// <summary>The element type of its matrices.</summary>
    public string Dtype { get; init; } = "float32";

    /// <summary>Whether its numbers are so simple that their products are never rounded, so that any order of summation gives the same bits.</summary>
    public bool Exact { get; init; } = true;

    /// <summary>Modules whose weights it replaces.</summary>
    public string[] Replaced { get; init; } = [];

    public string ReplacedSuffix { get; init; } = ".weight";

    public string File { get; init; } = "adapter_model.safetensors";

    public string Prefix { get; init; } = "base_model.model.";
}

/// <summary>A module that is adapted.</summary>
/// <param name="Name">Its name in Hugging Face's format, or in fairseq2's for a LoRA of fairseq2.</param>
/// <param name="Rank">The rank of its matrices.</param>
/// <param name="Scale">What their product shall be multiplied with.</param>
internal sealed record LoraModule(string Name, int Rank, double Scale);
