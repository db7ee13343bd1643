using System.Text.Json;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Collects exports, of any format, and has PyTorch hold them against what they were made of: see compare_exports.py.</summary>
internal sealed class ExportComparison
{
    private static readonly string Script = Path.Combine(Repository.Root, "tests", "Fairseq2Llama.Tests", "Support", "compare_exports.py");

    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly List<Case> _cases = [];

    /// <param name="folder">What was exported.</param>
    /// <param name="original">The file with the whole model.</param>
    /// <param name="architecture">Its architecture.</param>
    /// <param name="options">How it was exported.</param>
    /// <param name="isTied">Whether what the file has as the output shall not count.</param>
    public void Add(string folder, string original, LlamaArchitecture architecture, ExportOptions options, bool isTied = false) =>
        _cases.Add(new Case(
            folder,
            original,
            isTied,
            architecture.NumAttnHeads,
            architecture.NumKeyValueHeads,
            (options as HuggingFaceExportOptions)?.MaxShardSize ?? long.MaxValue,
            options.DType?.GetTorchName()));

    /// <summary>Fails with what differs.</summary>
    public void Run()
    {
        using var scratch = new TempFolder();
        File.WriteAllBytes(scratch["cases.json"], JsonSerializer.SerializeToUtf8Bytes(_cases, Options));

        Assert.NotEmpty(_cases);
        var answer = PyTorch.Ask(File.ReadAllText(Script), scratch["cases.json"]);
        Assert.True(answer == $"{_cases.Count} compared", answer);
    }

    private sealed record Case(string Folder, string Original, bool IsTied, int Heads, int KvHeads, long MaxSize, string? Dtype);
}
