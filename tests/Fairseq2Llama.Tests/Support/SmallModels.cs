using System.Text.Json;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Random models that PyTorch wrote, each with something of its own: see small_models.py. They are written when first asked for.</summary>
public sealed class SmallModels : IDisposable
{
    private static readonly string Script = Path.Combine(Repository.Root, "tests", "Fairseq2Llama.Tests", "Support", "small_models.py");

    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly TempFolder _folder = new("models");

    private readonly Lazy<SmallModel[]> _models;

    public SmallModels() =>
        _models = new(() => JsonSerializer.Deserialize<SmallModel[]>(PyTorch.Ask(File.ReadAllText(Script), "write", _folder.Path), Options)!);

    internal IReadOnlyList<SmallModel> All => _models.Value;

    internal SmallModel this[string name] => All.Single(model => model.Name == name);

    internal string PathOfWhole(SmallModel model) => _folder[$"{model.Name}/whole.pt"];

    /// <summary>With its rows in three files, cut anywhere.</summary>
    internal string PathOfDivided(SmallModel model) => _folder[$"{model.Name}/divided"];

    public void Dispose() => _folder.Dispose();
}
