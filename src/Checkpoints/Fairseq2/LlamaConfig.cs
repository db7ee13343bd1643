using System.Globalization;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// Reads fairseq2's LLaMAConfig. Its fields had other names in 0.4 (the first spelling) than from 0.5 on (the last); between lie commits
/// with both. Settings that a config omits come from its origin, or from fairseq2's defaults.
/// </summary>
internal static class LlamaConfig
{
    private const double DefaultInnerDimScale = 2.0 / 3.0;

    /// <summary>Fields that change no shape and stand in no params.json; the last two were in the main branch in the summer of 2025.</summary>
    private static readonly string[] Irrelevant =
        ["pad_idx", "dropout_p", "init_std", "init_std_scale", "hg_config_class", "hg_architecture"];

    /// <param name="config">The fields.</param>
    /// <param name="origin">The architecture that they change; null for fairseq2's defaults.</param>
    /// <param name="name">The name for an architecture that is not in the catalogue.</param>
    /// <exception cref="FormatException">A field is not what it should be.</exception>
    public static LlamaArchitecture Read(ConfigNode config, LlamaArchitecture? origin, string name)
    {
        var basis = origin ?? new LlamaArchitecture { Name = name };
        var modelDim = config.Integer("model_dim") ?? basis.ModelDim;
        var maxSeqLen = config.Integer("max_seq_len") ?? basis.MaxSeqLen;

        var architecture = basis with
        {
            ModelDim = modelDim,
            MaxSeqLen = maxSeqLen,
            VocabSize = ReadVocabSize(config) ?? basis.VocabSize,
            NumLayers = config.Integer("num_layers") ?? basis.NumLayers,
            NumAttnHeads = config.Integer("num_attn_heads") ?? basis.NumAttnHeads,
            NumKeyValueHeads = config.Integer("num_key_value_heads") ?? basis.NumKeyValueHeads,
            FfnInnerDimMultiplier = ReadMultiplier(config, basis, modelDim),
            FfnInnerDimMultipleOf = config.Integer("ffn_inner_dim_to_multiple", "ffn_inner_dim_multiple_of") ?? basis.FfnInnerDimMultipleOf,
            RopeTheta = config.Number("rope_theta") ?? basis.RopeTheta,
            RopeScaleFactor = ReadRopeScaleFactor(config, basis),
            TiedEmbeddings = config.Flag("tie_embeddings", "tied_embeddings") ?? origin?.TiedEmbeddings ?? false,
            ShardEmbedDim = config.Flag("shard_embed_dim") ?? origin?.ShardEmbedDim ?? LlamaArchitecture.GuessShardEmbedDim(maxSeqLen),
        };

        config.Ignore(Irrelevant);
        return WithName(architecture, name);
    }

    /// <summary>
    /// fairseq2 computes the FFN's inner dim from an inner dim before, a multiplier and a scale. params.json has the multiplier only, of 8/3
    /// of the model dim, so whatever the other two differ from that goes into it.
    /// </summary>
    private static double ReadMultiplier(ConfigNode config, LlamaArchitecture basis, int modelDim)
    {
        var multiplier = config.Number("ffn_inner_dim_multiplier") ?? basis.FfnInnerDimMultiplier;
        var inner = config.Integer("ffn_inner_dim") ?? 4L * basis.ModelDim;
        var scale = config.Number("ffn_inner_dim_scale") ?? DefaultInnerDimScale;

        if (inner != 4L * modelDim)
        {
            multiplier *= inner / (4.0 * modelDim);
        }

        if (scale != DefaultInnerDimScale)
        {
            multiplier *= scale / DefaultInnerDimScale;
        }

        return multiplier;
    }

    private static int? ReadVocabSize(ConfigNode config)
    {
        var info = config.Child("vocab_info");
        return config.Integer("vocab_size") ?? info?.Integer("size");
    }

    private static double? ReadRopeScaleFactor(ConfigNode config, LlamaArchitecture basis)
    {
        var scale = config.Child("rope_scaling", "rope_scale");
        var isScaled = config.Flag("use_scaled_rope");

        if (isScaled == true)
        {
            RequireKnownScale(scale);
        }

        return isScaled switch
        {
            false => null,
            true => scale?.Number("factor") ?? basis.RopeScaleFactor ?? RotaryScale.DefaultFactor,
            null => basis.RopeScaleFactor,
        };
    }

    /// <summary>No published model has other numbers, and params.json could not record them.</summary>
    private static void RequireKnownScale(ConfigNode? scale)
    {
        if (scale?.Numbers("frequency_factors") is { } factors && !factors.SequenceEqual([RotaryScale.LowFrequencyFactor, RotaryScale.HighFrequencyFactor]))
        {
            var found = string.Join(" and ", factors.Select(factor => factor.ToString(CultureInfo.InvariantCulture)));
            throw new FormatException($"it scales rotary encoding with the frequency factors {found}, and this module supports only 1 and 4");
        }

        if (scale?.Integer("original_context_length") is { } length and not RotaryScale.OriginalMaxSeqLen)
        {
            throw new FormatException($"it scales rotary encoding from {length} tokens, and this module supports only 8192");
        }
    }

    /// <summary>An architecture of the catalogue keeps its name; fairseq2 0.3 and 0.4 never tied embeddings, which makes it no other.</summary>
    private static LlamaArchitecture WithName(LlamaArchitecture architecture, string name)
    {
        var known = LlamaArchitectures.All.FirstOrDefault(
            known => known == architecture with { Name = known.Name, AssetNames = known.AssetNames, TiedEmbeddings = known.TiedEmbeddings });

        return architecture with { Name = known?.Name ?? name, AssetNames = known?.AssetNames ?? [] };
    }
}
