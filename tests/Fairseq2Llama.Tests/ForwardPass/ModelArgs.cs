using System.Text.Json;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>params.json as Meta's loaders take it: what they default where it says nothing, ModelArgs in their model.py has.</summary>
internal sealed record ModelArgs
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public required int Dim { get; init; }

    public required int NLayers { get; init; }

    public required int NHeads { get; init; }

    /// <summary>Absent where every query head has a key/value head of its own.</summary>
    public int? NKvHeads { get; init; }

    public required double NormEps { get; init; }

    public double RopeTheta { get; init; } = 10_000.0;

    public bool UseScaledRope { get; init; }

    public int HeadDim => Dim / NHeads;

    public int KeyValueHeads => NKvHeads ?? NHeads;

    /// <summary>Reads it in either of its forms.</summary>
    public static ModelArgs Read(string folder)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "params.json")));
        var args = json.RootElement.TryGetProperty("model", out var nested) ? nested : json.RootElement;

        return args.Deserialize<ModelArgs>(Options)!;
    }
}
