using System.Text.Json;

namespace Fairseq2Llama.Tests.Support;

/// <summary>What dcp_to_torch of PyTorch said of the checkpoints in tests/data/distributed: see make_distributed.py there.</summary>
internal static class DistributedManifest
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    /// <summary>By name of the case.</summary>
    public static IReadOnlyDictionary<string, DistributedCase> Cases { get; } =
        JsonSerializer.Deserialize<Dictionary<string, DistributedCase>>(File.ReadAllBytes(Repository.Data("distributed/manifest.json")), Options)!;
}

/// <param name="Folder">Below tests/data/distributed.</param>
/// <param name="Ranks">How many processes saved it.</param>
/// <param name="Model">The tensors of the model.</param>
/// <param name="Other">All other tensors.</param>
internal sealed record DistributedCase(string Folder, int Ranks, IReadOnlyList<DistributedCaseTensor> Model, IReadOnlyList<DistributedCaseTensor> Other)
{
    /// <summary>The folder, where it is.</summary>
    public string Path => Repository.Data($"distributed/{Folder}");

    /// <summary>The architecture of the model: that of <see cref="TinyModel"/>, of as many layers as there are.</summary>
    public LlamaArchitecture Architecture => TinyModel.Architecture with
    {
        NumLayers = Model.Select(tensor => tensor.Name.Split('.')).Where(name => name.Contains("layers")).Select(name => int.Parse(name[Array.IndexOf(name, "layers") + 1])).DefaultIfEmpty(0).Max() + 1,
    };
}

internal sealed record DistributedCaseTensor(string Name, string Dtype, IReadOnlyList<long> Shape, string Sha256);
