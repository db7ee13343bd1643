using System.Text.Json;

namespace Fairseq2Llama.Tests.Support;

/// <summary>What the safetensors library said of the files in tests/data/safetensors when it had written them: see make_safetensors.py there.</summary>
internal static class SafeTensorsManifest
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    /// <summary>By name of the file.</summary>
    public static IReadOnlyDictionary<string, SafeTensorsManifestFile> Files { get; } =
        JsonSerializer.Deserialize<Dictionary<string, SafeTensorsManifestFile>>(File.ReadAllBytes(Repository.Data("safetensors/manifest.json")), Options)!;
}

/// <param name="Metadata">Empty where the file has none.</param>
/// <param name="Tensors">In the order of their names.</param>
internal sealed record SafeTensorsManifestFile(IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<SafeTensorsManifestTensor> Tensors);

internal sealed record SafeTensorsManifestTensor(string Name, string Dtype, IReadOnlyList<long> Shape, string Sha256);
