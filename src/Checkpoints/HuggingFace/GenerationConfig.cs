using Fairseq2Llama.Llama;
using Fairseq2Llama.Sources;

namespace Fairseq2Llama.HuggingFace;

/// <summary>Writes generation_config.json as transformers makes it of config.json: by the end tokens that it names generation stops.</summary>
internal static class GenerationConfig
{
    public const string FileName = "generation_config.json";

    public static byte[] Write(SpecialTokens tokens) => SettingsText.Write(json =>
    {
        json.WriteStartObject();
        json.WriteBoolean("_from_model_config", true);
        HuggingFaceConfigWriter.WriteTokens(json, tokens);
        json.WriteEndObject();
    });
}
