using System.Text.Json;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>config.json as transformers' LlamaConfig takes it, with the defaults that it has for what is left out.</summary>
internal static class HuggingFaceArgs
{
    public static ModelArgs Read(string folder)
    {
        var config = Parse(folder);
        var rope = Find(config, "rope_scaling") ?? Find(config, "rope_parameters");
        var theta = (rope is { } parameters ? Find(parameters, "rope_theta") : null) ?? Find(config, "rope_theta");

        return new ModelArgs
        {
            Dim = config.GetProperty("hidden_size").GetInt32(),
            NLayers = config.GetProperty("num_hidden_layers").GetInt32(),
            NHeads = config.GetProperty("num_attention_heads").GetInt32(),
            NKvHeads = Find(config, "num_key_value_heads")?.GetInt32(),
            HeadDim = Find(config, "head_dim")?.GetInt32() ?? 0,
            NormEps = Find(config, "rms_norm_eps")?.GetDouble() ?? 1e-6,
            RopeTheta = theta?.GetDouble() ?? 10_000,
            RotaryScaling = rope is { } scaling ? ReadScaling(scaling) : null,
        };
    }

    public static bool HasTiedEmbeddings(string folder) => Find(Parse(folder), "tie_word_embeddings")?.GetBoolean() ?? false;

    /// <summary>None of these has a default: transformers refuses a scaled encoding that lacks one.</summary>
    private static RotaryScaling? ReadScaling(JsonElement rope) => (Find(rope, "rope_type") ?? Find(rope, "type"))?.GetString() switch
    {
        null or "default" => null,
        "llama3" => new RotaryScaling(
            rope.GetProperty("factor").GetDouble(),
            rope.GetProperty("low_freq_factor").GetDouble(),
            rope.GetProperty("high_freq_factor").GetDouble(),
            rope.GetProperty("original_max_position_embeddings").GetDouble()),
        var other => throw new NotSupportedException($"Rotary encoding is scaled as {other}."),
    };

    private static JsonElement Parse(string folder) => JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(Path.Combine(folder, "config.json")));

    private static JsonElement? Find(JsonElement json, string key) =>
        json.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
