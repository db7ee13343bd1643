using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.HuggingFace;

/// <summary>
/// Writes config.json as transformers 4 has it for a LlamaForCausalLM (configuration_llama.py), in the order of names. Version 5 reads it, too, though it
/// writes "rope_parameters" and "dtype".
/// </summary>
internal static class HuggingFaceConfigWriter
{
    /// <param name="architecture">The architecture.</param>
    /// <param name="tokens">Those that begin and end a text.</param>
    /// <param name="dtype">The type of the weights.</param>
    /// <param name="biased">Modules with a bias. transformers makes none, and skips what the files have, unless it is told of them.</param>
    public static byte[] Write(
        LlamaArchitecture architecture, SpecialTokens tokens, DType dtype, IReadOnlyCollection<LlamaParameter> biased) => JsonConfigWriter.Write(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("architectures");
        json.WriteStringValue("LlamaForCausalLM");
        json.WriteEndArray();
        json.WriteBoolean("attention_bias", HasBias("self_attn"));
        GenerationConfig.WriteTokens(json, tokens);
        json.WriteNumber("head_dim", architecture.HeadDim);
        json.WriteString("hidden_act", "silu");
        json.WriteNumber("hidden_size", architecture.ModelDim);
        json.WriteNumber("intermediate_size", architecture.FfnInnerDim);
        json.WriteNumber("max_position_embeddings", architecture.MaxSeqLen);
        json.WriteBoolean("mlp_bias", HasBias("mlp"));
        json.WriteString("model_type", "llama");
        json.WriteNumber("num_attention_heads", architecture.NumAttnHeads);
        json.WriteNumber("num_hidden_layers", architecture.NumLayers);
        json.WriteNumber("num_key_value_heads", architecture.NumKeyValueHeads);
        json.WriteFloat("rms_norm_eps", architecture.NormEps);
        RotaryScaling.Write(json, architecture.RopeScaleFactor);
        json.WriteFloat("rope_theta", architecture.RopeTheta);
        json.WriteBoolean("tie_word_embeddings", architecture.TiedEmbeddings);
        json.WriteString("torch_dtype", dtype.GetTorchName());
        json.WriteBoolean("use_cache", true);
        json.WriteNumber("vocab_size", architecture.VocabSize);
        json.WriteEndObject();

        bool HasBias(string block) => biased.Any(module => module.HuggingFacePrefix.Contains($".{block}.", StringComparison.Ordinal));
    });
}
