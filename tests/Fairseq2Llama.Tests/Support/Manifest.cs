using System.Text.Json;

namespace Fairseq2Llama.Tests.Support;

/// <summary>What real PyTorch said of the files in tests/data when it wrote them: see make_test_data.py there.</summary>
internal sealed record Manifest(
    IReadOnlyDictionary<string, IReadOnlyList<ManifestTensor>> Files, IReadOnlyDictionary<string, ManifestReference> Reference)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static readonly Lazy<Manifest> Loaded = new(
        () => JsonSerializer.Deserialize<Manifest>(File.ReadAllBytes(Repository.Data("manifest.json")), Options)!);

    public static Manifest Instance => Loaded.Value;
}

internal sealed record ManifestTensor(
    string Name,
    string Dtype,
    IReadOnlyList<long> Shape,
    IReadOnlyList<long> Stride,
    long StorageOffset,
    bool Contiguous,
    string Sha256);

internal sealed record ManifestReference(JsonElement Params, IReadOnlyList<ManifestReferenceFile> Files);

internal sealed record ManifestReferenceFile(string File, IReadOnlyList<ManifestTensor> Tensors);
