using System.Globalization;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.HuggingFace;

/// <summary>
/// Reads config.json of transformers' LlamaForCausalLM, with the defaults that its LlamaConfig has for what is left out. From version 5 on
/// transformers keeps what concerns rotary encoding under "rope_parameters".
/// </summary>
internal static class HuggingFaceConfig
{
    public const string FileName = "config.json";

    /// <param name="json">The content of the file.</param>
    /// <param name="name">The name for an architecture that is not in the catalogue.</param>
    /// <exception cref="CheckpointException">It is of another kind of model, lacks what has no default, or contradicts itself.</exception>
    public static ArchitectureFile Read(JsonSettings json, string name)
    {
        if (json.Text("model_type") != "llama")
        {
            throw new CheckpointException(
                CheckpointErrorCode.CheckpointUnrecognized,
                $"'{json.File}' describes a model of the type '{json.Text("model_type")}'. Expected 'llama'.",
                json.File);
        }

        RequireExpressible(json);

        var rope = json.Find("rope_parameters");
        var scaling = rope ?? json.Find("rope_scaling");
        var heads = json.Require("num_attention_heads");
        var dim = json.Require("hidden_size");

        var told = new LlamaArchitecture
        {
            Name = name,
            ModelDim = dim,
            NumLayers = json.Require("num_hidden_layers"),
            NumAttnHeads = heads,
            NumKeyValueHeads = json.Integer("num_key_value_heads") ?? heads,
            VocabSize = json.Require("vocab_size"),
            MaxSeqLen = json.Integer("max_position_embeddings") ?? 2048,
            NormEps = json.Number("rms_norm_eps") ?? 1e-6,
            RopeTheta = rope?.Number("rope_theta") ?? json.Number("rope_theta") ?? 10_000,
            RopeScaleFactor = ReadScaleFactor(scaling),
            TiedEmbeddings = json.Flag("tie_word_embeddings") ?? false,
        };

        if (json.Integer("head_dim") is { } headDim && (long)headDim * heads != dim)
        {
            throw new CheckpointException(
                CheckpointErrorCode.ArchitectureMismatch,
                $"'{json.File}' says that heads have {headDim} dimensions, but {heads} heads of that size do not fit a model dim of {dim}. fairseq2 and the reference"
                + " format can't express such a model.",
                json.File);
        }

        told = told.WithFfnInnerDim(json.Require("intermediate_size"));
        told.Validate();

        return new ArchitectureFile(json.File)
        {
            Architecture = ArchitectureMatcher.Recognize(told),
            SpecialTokens = new SpecialTokens(json.Integers("bos_token_id"), json.Integers("eos_token_id")),
        };
    }

    /// <summary>Settings that other models of that type have, and that would change what is computed if they were left out.</summary>
    private static void RequireExpressible(JsonSettings json)
    {
        if (FindInexpressible(json) is { } reason)
        {
            throw new CheckpointException(
                CheckpointErrorCode.ArchitectureMismatch, $"'{json.File}' says {reason}. fairseq2 and the reference format can't express such a model.", json.File);
        }
    }

    private static string? FindInexpressible(JsonSettings json)
    {
        var rope = json.Find("rope_parameters");
        var activation = json.Text("hidden_act");
        var part = json.Number("partial_rotary_factor") ?? rope?.Number("partial_rotary_factor");

        return activation is not (null or "silu") ? $"that the activation is '{activation}', while LLaMA has 'silu'"
            : json.Find("quantization_config") is not null ? "that its weights are quantized"
            : part is not (null or 1) ? string.Create(CultureInfo.InvariantCulture, $"that rotary encoding covers only {part} of each head")
            : rope is not null && rope.Names.Any(rope.IsObject) ? "that rotary encoding is not the same in all layers"
            : rope is not null && json.Find("rope_scaling") is not null ? "twice how rotary encoding is scaled, in 'rope_parameters' and in 'rope_scaling'"
            : null;
    }

    private static double? ReadScaleFactor(JsonSettings? scaling) => scaling is null ? null : (scaling.Text("rope_type") ?? scaling.Text("type")) switch
    {
        null or "default" => null,
        RotaryScaling.Type => RotaryScaling.ReadFactor(scaling),
        var other => throw new CheckpointException(
            CheckpointErrorCode.ArchitectureMismatch,
            $"'{scaling.File}' says that rotary encoding is scaled as '{other}'. fairseq2 and the reference format support only '{RotaryScaling.Type}'.",
            scaling.File),
    };
}
