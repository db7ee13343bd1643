using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Conversion;

/// <summary>
/// Takes a model of fairseq2 every way through the formats, and keeps account of which files each led to. No step but the first is told
/// the architecture: the files of the others have to tell it.
/// </summary>
internal sealed class TriangleWays(string folder, ExportComparison comparison)
{
    /// <summary>A way by what it must lead to and by what it led to.</summary>
    private readonly Dictionary<string, Dictionary<string, string>> _ways = [];

    private readonly List<(string Name, ExportOptions Options)> _steps =
    [
        ("fairseq2", new Fairseq2ExportOptions()),
        ("hf", new HuggingFaceExportOptions()),
        ("hf/n", new HuggingFaceExportOptions { MaxShardSize = 3000 }),
    ];

    /// <summary>The whole model that PyTorch holds what comes out against.</summary>
    public required string Original { get; init; }

    /// <summary>Its architecture.</summary>
    public required LlamaArchitecture Architecture { get; init; }

    /// <summary>Into how many files it is divided where the reference format is the next step.</summary>
    public required int[] ShardCounts { get; init; }

    /// <summary>How many steps a way has at most. Two lead back to where it began, three from any format to itself by way of another.</summary>
    public int MaxSteps { get; init; } = 3;

    /// <summary>Whether the output is the embedding table, whatever the original has there.</summary>
    public bool IsTied { get; init; }

    /// <summary>The tokenizer for GGUF files, in which all norms are float32; null if no way leads through one, as for models of another type.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>Whether it has what LLaMA does not have.</summary>
    public bool AllowUnmapped { get; init; }

    /// <summary>Ways that should have led to the same files and did not.</summary>
    public IEnumerable<string> Parted =>
        from files in _ways where files.Value.Count > 1 select $"{files.Key}: {string.Join("; ", files.Value.Values)}";

    /// <param name="path">The model.</param>
    public void Take(string path)
    {
        _steps.AddRange(ShardCounts.Select(count => ($"reference/{count}", (ExportOptions)new ReferenceExportOptions { ShardCount = count })));

        if (Tokenizer is not null)
        {
            _steps.Add(("gguf", new GgufExportOptions { FileName = "x.gguf", TokenizerPath = Tokenizer, Metadata = [new("name", "x")] }));
        }

        Follow(Fairseq2Checkpoint.Read(path), "", Architecture, MaxSteps);
    }

    private void Follow(LlamaCheckpoint checkpoint, string way, LlamaArchitecture? named, int stepsLeft)
    {
        foreach (var (name, step) in _steps)
        {
            var next = $"{way} > {name}";
            var options = step with { Architecture = named, AllowUnmapped = AllowUnmapped };
            var plan = CheckpointExport.Plan(checkpoint, Path.Combine(folder, next.Replace('/', '-')), options);

            plan.Execute();
            Note(next, name, plan.DestinationPath, options);

            if (stepsLeft > 1)
            {
                Follow(Read(plan.DestinationPath, options), next, null, stepsLeft - 1);
            }
        }
    }

    /// <summary>Each file that is new is compared once.</summary>
    private void Note(string way, string lastStep, string destination, ExportOptions options)
    {
        // These two have orders of their own for tensors, and tied ones once; they say no more of the FFN than how wide it is.
        var order = way.Split(" > ").Select(step => step.Split('/')[0]).LastOrDefault(step => step is "hf" or "gguf") ?? "directly";

        // As llama.cpp's converter, which takes one file after the other.
        var expected = $"{lastStep} {(way.EndsWith("hf/n > gguf", StringComparison.Ordinal) ? "file by file" : order)}";
        var ways = _ways.TryGetValue(expected, out var known) ? known : _ways[expected] = [];

        // PyTorch reads no GGUF files, but what was made of them.
        if (ways.TryAdd(FolderHash.Of(destination), way) && options is not GgufExportOptions)
        {
            comparison.Add(destination, Original, Architecture, options, IsTied);
        }
    }

    private static LlamaCheckpoint Read(string path, ExportOptions options) => options switch
    {
        HuggingFaceExportOptions => LlamaHuggingFaceCheckpoint.Read(path),
        ReferenceExportOptions => LlamaReferenceCheckpoint.Read(path),
        GgufExportOptions => LlamaGgufCheckpoint.Read(path),
        _ => Fairseq2Checkpoint.Read(path),
    };
}
