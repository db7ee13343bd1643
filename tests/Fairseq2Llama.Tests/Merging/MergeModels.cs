using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Merging;

/// <summary>Models of fairseq2 of one architecture that PyTorch wrote, three of each kind: see merging.py. They are written when first asked for.</summary>
public sealed class MergeModels : IDisposable
{
    public const int Count = 3;

    private readonly TempFolder _folder = new("models");
    private readonly Lazy<string> _written;

    public MergeModels() => _written = new(() =>
    {
        PyTorchMerge.Ask("write", _folder.Path);
        WriteTokenizer(_folder["tokenizer"]);
        return _folder.Path;
    });

    internal static LlamaArchitecture Architecture { get; } = new()
    {
        Name = "small",
        ModelDim = 64,
        NumLayers = 2,
        NumAttnHeads = 4,
        NumKeyValueHeads = 2,
        VocabSize = 40,
        FfnInnerDimMultiplier = 0.5625,
        FfnInnerDimMultipleOf = 32,
    };

    /// <summary>A tokenizer of so many tokens, as GGUF needs one.</summary>
    internal string Tokenizer => Path.Combine(_written.Value, "tokenizer");

    public void Dispose() => _folder.Dispose();

    /// <param name="kind">An element type: bfloat16, float16, float32; "special-" and one, with numbers that are not ordinary; "norms", which are float32 beside bfloat16; "tied".</param>
    /// <param name="number">Which, from 0.</param>
    internal string PathOf(string kind, int number) => Path.Combine(_written.Value, $"{kind}-{number}", "model.pt");

    internal LlamaCheckpoint Read(string kind, int number) => CheckpointReader.Read(PathOf(kind, number), new CheckpointReadOptions { Architecture = Architecture }, TestContext.Current.CancellationToken);

    internal LlamaCheckpoint[] ReadAll(string kind) => [.. Enumerable.Range(0, Count).Select(number => Read(kind, number))];

    /// <summary>How to export one of them.</summary>
    /// <param name="format">A format; "reference" may have the number of files behind it.</param>
    internal ExportOptions OptionsFor(string format) => format switch
    {
        "fairseq2" => new Fairseq2ExportOptions { Architecture = Architecture },
        "hf" => new HuggingFaceExportOptions { Architecture = Architecture },
        "hf, several files" => new HuggingFaceExportOptions { Architecture = Architecture, MaxShardSize = 30_000 },
        "reference" => new ReferenceExportOptions { Architecture = Architecture, ShardCount = 1 },
        "reference 2" => new ReferenceExportOptions { Architecture = Architecture, ShardCount = 2 },
        "gguf" => new GgufExportOptions { FileName = "x.gguf", Architecture = Architecture, TokenizerPath = Tokenizer },
        "gguf Q8_0" => new GgufExportOptions { FileName = "x.gguf", Architecture = Architecture, TokenizerPath = Tokenizer, DType = DType.Q8_0 },
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };

    /// <summary>Exports a checkpoint.</summary>
    /// <returns>What was written.</returns>
    internal LlamaCheckpoint Export(LlamaCheckpoint checkpoint, string folder, string format) => Export(checkpoint, folder, OptionsFor(format));

    internal static LlamaCheckpoint Export(LlamaCheckpoint checkpoint, CheckpointAddress folder, ExportOptions options)
    {
        var token = TestContext.Current.CancellationToken;
        var plan = CheckpointExport.Plan(checkpoint, folder, options, token);
        plan.Execute(cancellationToken: token);
        return plan.OpenResult();
    }

    /// <summary>The numbers of each tensor and their type, whatever the format has as its name and the order of its rows.</summary>
    internal static Dictionary<string, string> NumbersOf(LlamaCheckpoint checkpoint) => checkpoint.Tensors.ToDictionary(
        tensor => tensor.CanonicalName,
        tensor => $"{tensor.NumberDType} {tensor.Shape} {Convert.ToHexString(TensorBytes.Of(tensor.ToNumbers()))}",
        StringComparer.Ordinal);

    private static void WriteTokenizer(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, "tokenizer.model"), SentencePieceBuilder.OfSize((int)Architecture.VocabSize).Build());
    }
}
