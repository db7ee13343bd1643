using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>What real PyTorch made of a model before any conversion: see make_forward_data.py in tests/data/forward.</summary>
/// <param name="Name">Which.</param>
/// <param name="Checkpoints">Folders of tests/data that hold it.</param>
/// <param name="NumHeads">Of the queries.</param>
/// <param name="NumKvHeads">Of the keys and values.</param>
/// <param name="RopeTheta">The base of the rotary frequencies.</param>
/// <param name="RopeScaleFactor">Null where the encoding is not scaled.</param>
/// <param name="Tokens">What it was given.</param>
/// <param name="Logits">What it said to that, by position; not of all positions.</param>
internal sealed record ExpectedLogits(
    string Name,
    IReadOnlyList<string> Checkpoints,
    int NumHeads,
    int NumKvHeads,
    double RopeTheta,
    double? RopeScaleFactor,
    IReadOnlyList<int> Tokens,
    IReadOnlyDictionary<int, double[]> Logits)
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static readonly Lazy<ExpectedLogits[]> Loaded = new(
        () => JsonSerializer.Deserialize<ExpectedLogits[]>(File.ReadAllBytes(Repository.Data("forward/logits.json")), Options)!);

    public static IEnumerable<string> Names => Loaded.Value.Select(expected => expected.Name);

    public LlamaArchitecture ArchitectureOf(string checkpoint) => TinyModel.Architecture with
    {
        NumAttnHeads = NumHeads,
        NumKeyValueHeads = NumKvHeads,
        RopeTheta = RopeTheta,
        RopeScaleFactor = RopeScaleFactor,
        TiedEmbeddings = checkpoint.StartsWith("checkpoints/tied", StringComparison.Ordinal),
    };

    public static ExpectedLogits Of(string name) => Loaded.Value.Single(expected => expected.Name == name);

    public double DistanceTo(float[][] actual) => LogitDistance.Between(
        [.. Logits.Values], [.. Logits.Keys.Select(position => Array.ConvertAll(actual[position], logit => (double)logit))]);
}
