using System.Globalization;
using System.Text;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// Writes model.yaml with the fields of 0.4.6's LLaMAConfig in their order (models/llama/_config.py), as its FileCheckpointMetadataSaver does. fairseq2
/// refuses fields that it does not know, so there is no word in it of tied embeddings, which 0.4 does not have.
/// </summary>
internal static class ModelConfigWriter
{
    /// <param name="architecture">The architecture.</param>
    /// <param name="tokens">The tokens that begin and end a text. The file has one of each.</param>
    public static byte[] Write(LlamaArchitecture architecture, SpecialTokens tokens)
    {
        var unknown = SpecialTokens.UnknownOf(architecture.VocabSize)?.ToString(CultureInfo.InvariantCulture) ?? "null";

        // YAML of nothing but numbers and fixed names.
        return Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"""
            name: checkpoint
            model_family: llama
            model_config:
              _set_:
                model_dim: {architecture.ModelDim}
                max_seq_len: {architecture.MaxSeqLen}
                vocab_info:
                  size: {architecture.VocabSize}
                  unk_idx: {unknown}
                  bos_idx: {tokens.Begin[0]}
                  eos_idx: {tokens.End[0]}
                  pad_idx: null
                  boh_idx: null
                  eoh_idx: null
                num_layers: {architecture.NumLayers}
                num_attn_heads: {architecture.NumAttnHeads}
                num_key_value_heads: {architecture.NumKeyValueHeads}
                ffn_inner_dim: {4L * architecture.ModelDim}
                ffn_inner_dim_scale: 0.6666666666666666
                ffn_inner_dim_multiplier: {JsonConfigWriter.FloatOf(architecture.FfnInnerDimMultiplier)}
                ffn_inner_dim_to_multiple: {architecture.FfnInnerDimMultipleOf}
                rope_theta: {JsonConfigWriter.FloatOf(architecture.RopeTheta)}
                use_scaled_rope: {(architecture.RopeScaleFactor is null ? "false" : "true")}
                rope_scaling:
                  factor: {JsonConfigWriter.FloatOf(architecture.RopeScaleFactor ?? RotaryScale.DefaultFactor)}
                  frequency_factors:
                  - {JsonConfigWriter.FloatOf(RotaryScale.LowFrequencyFactor)}
                  - {JsonConfigWriter.FloatOf(RotaryScale.HighFrequencyFactor)}
                  original_context_length: {RotaryScale.OriginalMaxSeqLen}
                dropout_p: 0.1

            """).ReplaceLineEndings("\n"));
    }
}
