using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Reference;

/// <summary>Writes params.json.</summary>
internal static class ReferenceParams
{
    public const string FileName = "params.json";

    /// <summary>The value in meta-llama/llama, and in Hugging Face's converter if the key is missing.</summary>
    public const double Llama2RopeTheta = 10_000;

    /// <summary>The value in meta-llama/llama3 and meta-llama/llama-models if the key is missing.</summary>
    public const double Llama3RopeTheta = 500_000;

    /// <summary>
    /// The form that is written. No flat one suits all of Meta's loaders: that of LLaMA 2 refuses rope_theta, the later ones take another
    /// number for it if it is missing. They also divide the embeddings differently, which shows whose model it is.
    /// </summary>
    public static ParamsLayout Resolve(LlamaArchitecture architecture, ParamsLayout layout) =>
        layout != ParamsLayout.Flat ? layout
        : SuitsLlama2(architecture) && architecture.ShardEmbedDim ? ParamsLayout.Llama2
        : ParamsLayout.Llama3;

    /// <summary>Whether meta-llama/llama, which knows one base of rotary frequencies and no scaling, can compute the model.</summary>
    public static bool SuitsLlama2(LlamaArchitecture architecture) =>
        architecture is { RopeTheta: Llama2RopeTheta, RopeScaleFactor: null };

    public static byte[] Write(LlamaArchitecture architecture, ParamsLayout asked) => JsonConfigWriter.Write(json =>
    {
        var layout = Resolve(architecture, asked);
        json.WriteStartObject();

        if (layout == ParamsLayout.Nested)
        {
            json.WriteStartObject("model");
        }

        json.WriteNumber("dim", architecture.ModelDim);
        json.WriteNumber("n_layers", architecture.NumLayers);
        json.WriteNumber("n_heads", architecture.NumAttnHeads);

        json.WriteNumber("multiple_of", architecture.FfnInnerDimMultipleOf);

        if (layout != ParamsLayout.Llama2)
        {
            json.WriteFloat("rope_theta", architecture.RopeTheta);
        }

        json.WriteFloat("norm_eps", architecture.NormEps);

        if (architecture.NumKeyValueHeads != architecture.NumAttnHeads)
        {
            json.WriteNumber("n_kv_heads", architecture.NumKeyValueHeads);
        }

        if (architecture.FfnInnerDimMultiplier != 1.0)
        {
            json.WriteFloat("ffn_dim_multiplier", architecture.FfnInnerDimMultiplier);
        }

        if (layout != ParamsLayout.Nested)
        {
            json.WriteNumber("vocab_size", architecture.VocabSize);

            if (architecture.RopeScaleFactor is not null)
            {
                json.WriteBoolean("use_scaled_rope", true);
            }
        }

        if (layout == ParamsLayout.Nested)
        {
            json.WriteEndObject();
        }

        json.WriteEndObject();
    });
}
