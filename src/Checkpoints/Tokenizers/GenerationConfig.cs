using System.Collections.Immutable;
using System.Text.Json;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tokenizers;

/// <summary>
/// generation_config.json, as transformers makes it of config.json: at the end tokens that it names generation stops.
/// </summary>
internal static class GenerationConfig
{
    public const string FileName = "generation_config.json";

    /// <exception cref="CheckpointException">It can't be read.</exception>
    public static SpecialTokens Read(IByteSource file)
    {
        var json = JsonSettings.Read(file);
        return new SpecialTokens(json.Integers("bos_token_id"), json.Integers("eos_token_id"));
    }

    public static byte[] Write(SpecialTokens tokens) => JsonConfigWriter.Write(json =>
    {
        json.WriteStartObject();
        json.WriteBoolean("_from_model_config", true);
        WriteTokens(json, tokens);
        json.WriteEndObject();
    });

    /// <summary>bos_token_id and eos_token_id, the latter as a list where there are several.</summary>
    public static void WriteTokens(Utf8JsonWriter json, SpecialTokens tokens)
    {
        WriteTokens(json, "bos_token_id", tokens.Begin);
        WriteTokens(json, "eos_token_id", tokens.End);
    }

    private static void WriteTokens(Utf8JsonWriter json, string name, ImmutableArray<int> tokens)
    {
        if (tokens is [var only])
        {
            json.WriteNumber(name, only);
            return;
        }

        json.WriteStartArray(name);

        foreach (var token in tokens)
        {
            json.WriteNumberValue(token);
        }

        json.WriteEndArray();
    }
}
