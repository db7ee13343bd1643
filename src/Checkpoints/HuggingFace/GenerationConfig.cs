using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.HuggingFace;

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
        HuggingFaceConfigWriter.WriteTokens(json, tokens);
        json.WriteEndObject();
    });
}
