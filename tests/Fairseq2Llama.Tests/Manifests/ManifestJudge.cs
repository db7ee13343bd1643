using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Manifests;

/// <summary>Collects checkpoints with manifests, of any format, and has PyTorch and hashlib hold the manifests against the files: see judge_manifests.py.</summary>
internal sealed class ManifestJudge
{
    private static readonly string Script = Path.Combine(Repository.Root, "tests", "Fairseq2Llama.Tests", "Manifests", "judge_manifests.py");

    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly List<Case> _cases = [];

    /// <param name="manifest">The path of the manifest.</param>
    /// <param name="architecture">The architecture of the model.</param>
    /// <param name="source">The file with the whole model of fairseq2 that it was made from; null if it is not to be compared with that.</param>
    /// <param name="isTied">Whether what that file has as the output shall not count.</param>
    /// <param name="sourceFolder">The folder of the files that it was made from; null if they are not to be looked at.</param>
    /// <param name="hasChecksums">Whether each tensor is a record of one of these files.</param>
    public void Add(string manifest, LlamaArchitecture architecture, string? source = null, bool isTied = false, string? sourceFolder = null, bool hasChecksums = false) =>
        _cases.Add(new Case(manifest, architecture.NumAttnHeads, architecture.NumKeyValueHeads, source, isTied, sourceFolder, hasChecksums));

    /// <summary>Fails with what a manifest says otherwise.</summary>
    public void Run()
    {
        using var scratch = new TempFolder();
        File.WriteAllBytes(scratch["cases.json"], JsonSerializer.SerializeToUtf8Bytes(_cases, Options));

        Assert.NotEmpty(_cases);
        var answer = PyTorch.Ask(File.ReadAllText(Script), scratch["cases.json"]);
        Assert.True(answer == $"{_cases.Count} judged", answer);
    }

    private sealed record Case(string Manifest, int Heads, int KvHeads, string? Source, bool IsTied, string? SourceFolder, bool HasCrcs);
}
