using System.Globalization;
using System.Text.Json;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.HuggingFace;

/// <summary>The scaled rotary encoding of LLaMA 3.1 and newer in config.json. The reference format does not record its factor.</summary>
internal static class RotaryScaling
{
    public const string Type = "llama3";

    private const string Factor = "factor";

    private static readonly (string Name, double Value, bool IsWhole)[] Fixed =
        [
            ("high_freq_factor", RotaryScale.HighFrequencyFactor, false),
            ("low_freq_factor", RotaryScale.LowFrequencyFactor, false),
            ("original_max_position_embeddings", RotaryScale.OriginalMaxSeqLen, true),
        ];

    /// <exception cref="CheckpointException">It is scaled in a way that the other formats do not have.</exception>
    public static double ReadFactor(JsonSettings scaling)
    {
        var strange = Fixed.FirstOrDefault(entry => scaling.Number(entry.Name) is { } number && number != entry.Value);

        if (strange.Name is not null)
        {
            throw new CheckpointException(
                CheckpointErrorCode.ArchitectureMismatch,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{scaling.File}' says that rotary encoding is scaled with {strange.Name} {scaling.Number(strange.Name)}. This module supports only {strange.Value}."),
                scaling.File);
        }

        return scaling.Number(Factor) ?? throw CheckpointException.Corrupt(scaling.File, $"it scales rotary encoding as '{Type}', but has no '{Factor}'.");
    }

    /// <param name="json">Gets it.</param>
    /// <param name="factor">Null where the encoding is not scaled.</param>
    public static void Write(Utf8JsonWriter json, double? factor)
    {
        if (factor is null)
        {
            json.WriteNull("rope_scaling");
            return;
        }

        json.WriteStartObject("rope_scaling");
        json.WriteFloat(Factor, factor.Value);

        foreach (var (name, value, isWhole) in Fixed)
        {
            if (isWhole)
            {
                json.WriteNumber(name, value);
            }
            else
            {
                json.WriteFloat(name, value);
            }
        }

        json.WriteString("rope_type", Type);
        json.WriteEndObject();
    }
}
