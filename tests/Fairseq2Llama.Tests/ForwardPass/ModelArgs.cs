using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>params.json as Meta's loaders take it: what they default where it says nothing, ModelArgs in their model.py has.</summary>
internal sealed record ModelArgs
{
    /// <summary>params.json says only that the encoding is scaled, and Meta's code takes this.</summary>
    public const double DefaultRopeScaleFactor = 8;

    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public required int Dim { get; init; }

    public required int NLayers { get; init; }

    public required int NHeads { get; init; }

    /// <summary>Absent where every query head has a key/value head of its own.</summary>
    public int? NKvHeads { get; init; }

    public required double NormEps { get; init; }

    public double RopeTheta { get; init; } = 10_000.0;

    public bool UseScaledRope { get; init; }

    [JsonIgnore]
    public RotaryScaling? RotaryScaling { get; init; }

    /// <summary>Only Hugging Face's format can tell another.</summary>
    [JsonIgnore]
    public int HeadDim
    {
        get => field == 0 ? Dim / NHeads : field;
        init;
    }

    public int KeyValueHeads => NKvHeads ?? NHeads;

    /// <summary>Reads it in either of its forms.</summary>
    /// <param name="folder">Where it is.</param>
    /// <param name="ropeScaleFactor">Of scaled rotary encoding.</param>
    public static ModelArgs Read(string folder, double ropeScaleFactor = DefaultRopeScaleFactor)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "params.json")));
        var model = json.RootElement.TryGetProperty("model", out var nested) ? nested : json.RootElement;

        var args = model.Deserialize<ModelArgs>(Options)!;
        return args.UseScaledRope ? args with { RotaryScaling = new RotaryScaling(ropeScaleFactor) } : args;
    }
}
