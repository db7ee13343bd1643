namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// Random models that PyTorch wrote whole and divided in many ways: see sharded_models.py. They are written once, when the first test
/// asks for them, and only read then.
/// </summary>
public sealed class ShardedModels : IDisposable
{
    private static readonly string Script = Path.Combine(Repository.Root, "tests", "Fairseq2Llama.Tests", "Support", "sharded_models.py");

    private readonly Lazy<TempFolder> _folder = new(() =>
    {
        var folder = new TempFolder("models");
        PyTorch.Ask(File.ReadAllText(Script), "write", folder.Path);
        return folder;
    });

    /// <summary>DIM, LAYERS, … there.</summary>
    public static LlamaArchitecture Architecture { get; } = new()
    {
        Name = "small",
        ModelDim = 32,
        NumLayers = 3,
        NumAttnHeads = 8,
        NumKeyValueHeads = 4,
        VocabSize = 48,
        FfnInnerDimMultipleOf = 8,
    };

    /// <summary>Checkpoints in every combination of the ways to divide them, by name.</summary>
    public IReadOnlyList<string> Divided => [.. Directory.EnumerateDirectories(_folder.Value["divided"]).Select(Path.GetFileName).OfType<string>().Order()];

    /// <summary>A whole model.</summary>
    /// <param name="dtype">float32 or bfloat16.</param>
    public string PathOfWhole(string dtype) => _folder.Value[$"whole/{dtype}.pt"];

    public string PathOfDivided(string name) => _folder.Value[$"divided/{name}"];

    /// <summary>A checkpoint with something special about it.</summary>
    public string PathOfOdd(string name) => _folder.Value[$"odd/{name}"];

    /// <summary>The architecture, with the embeddings divided, or tied, as those of the checkpoint.</summary>
    public static LlamaArchitecture ArchitectureOf(string name) => Architecture with
    {
        ShardEmbedDim = name.Contains("embedding1", StringComparison.Ordinal),
        TiedEmbeddings = name.StartsWith("tied", StringComparison.Ordinal),
    };

    /// <summary>Exports a checkpoint to where <see cref="Compare"/> looks for it.</summary>
    internal static void Export(string path, TempFolder destination, int count, LlamaArchitecture? architecture = null)
    {
        var name = Path.GetFileName(path);
        var options = new ReferenceExportOptions { Architecture = architecture ?? ArchitectureOf(name), ShardCount = count };

        CheckpointExport.Plan(Fairseq2Checkpoint.Read(path), destination[$"exported/{count}/{name}"], options).Execute();
    }

    /// <summary>Has PyTorch join what was exported and compare it with the model that was divided.</summary>
    /// <returns>What differs.</returns>
    internal string Compare(TempFolder exported) => PyTorch.Ask(File.ReadAllText(Script), "compare", exported.Path, _folder.Value["whole"]);

    public void Dispose()
    {
        if (_folder.IsValueCreated)
        {
            _folder.Value.Dispose();
        }
    }
}
