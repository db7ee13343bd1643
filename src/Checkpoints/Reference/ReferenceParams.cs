using Fairseq2Llama.Sources;

namespace Fairseq2Llama.Reference;

/// <summary>Writes params.json.</summary>
internal static class ReferenceParams
{
    public const string FileName = "params.json";

    /// <summary>Meta's LLaMA 2 loader has no rope_theta and refuses the key, so the flat form leaves out what is the default anyway.</summary>
    private const double DefaultRopeTheta = 10_000.0;

    public static byte[] Write(LlamaArchitecture architecture, ParamsLayout layout) => SettingsText.Write(json =>
    {
        json.WriteStartObject();

        if (layout == ParamsLayout.Nested)
        {
            json.WriteStartObject("model");
        }

        json.WriteNumber("dim", architecture.ModelDim);
        json.WriteNumber("n_layers", architecture.NumLayers);
        json.WriteNumber("n_heads", architecture.NumAttnHeads);

        json.WriteNumber("multiple_of", architecture.FfnInnerDimMultipleOf);

        if (layout == ParamsLayout.Nested || architecture.RopeTheta != DefaultRopeTheta)
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

        if (layout == ParamsLayout.Flat)
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
