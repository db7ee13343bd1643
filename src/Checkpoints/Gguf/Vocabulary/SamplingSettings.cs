using Fairseq2Llama.Gguf.Writing;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Gguf.Vocabulary;

/// <summary>How generation_config.json says that tokens are to be chosen.</summary>
internal static class SamplingSettings
{
    /// <summary>Their names there and in GGUF, in the order of the converter, and whether they are whole numbers.</summary>
    private static readonly (string Name, string Key, bool IsWhole)[] Numbers =
    [
        ("top_k", "top_k", true),
        ("top_p", "top_p", false),
        ("min_p", "min_p", false),
        ("xtc_probability", "xtc_probability", false),
        ("xtc_threshold", "xtc_threshold", false),
        ("temperature", "temp", false),
        ("penalty_last_n", "penalty_last_n", true),
        ("penalty_repeat", "penalty_repeat", false),
        ("mirostat", "mirostat", true),
        ("mirostat_tau", "mirostat_tau", false),
        ("mirostat_eta", "mirostat_eta", false),
    ];

    /// <param name="config">generation_config.json.</param>
    /// <param name="keys">What they become a part of.</param>
    /// <exception cref="CheckpointException">One is no number.</exception>
    public static void Write(JsonSettings config, MetadataWriter keys)
    {
        const string Prefix = "general.sampling.";

        keys.Add($"{Prefix}sequence", config.Text("sequence") ?? "");

        foreach (var (name, key, isWhole) in Numbers)
        {
            if (isWhole && config.Integer(name) is { } whole)
            {
                keys.Add(Prefix + key, whole);
            }
            else if (!isWhole && config.Number(name) is { } number)
            {
                keys.Add(Prefix + key, (float)number);
            }
        }
    }
}
