using System.Text.Json;
using Fairseq2Llama.Tests.Support;
using static TorchSharp.torch;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>
/// The weights of a folder in Hugging Face's format, in float32 and with their rows as they lie there, by the names that
/// <see cref="ReferenceModel"/> has for them. Names and files are found by rules of their own: those of the module are what is tested.
/// </summary>
internal static class HuggingFaceWeights
{
    private static readonly (string HuggingFace, string Reference)[] Names =
    [
        ("model.embed_tokens.", "tok_embeddings."),
        ("model.norm.", "norm."),
        ("lm_head.", "output."),
        ("model.layers.", "layers."),
        (".self_attn.q_proj.", ".attention.wq."),
        (".self_attn.k_proj.", ".attention.wk."),
        (".self_attn.v_proj.", ".attention.wv."),
        (".self_attn.o_proj.", ".attention.wo."),
        (".mlp.gate_proj.", ".feed_forward.w1."),
        (".mlp.down_proj.", ".feed_forward.w2."),
        (".mlp.up_proj.", ".feed_forward.w3."),
        (".input_layernorm.", ".attention_norm."),
        (".post_attention_layernorm.", ".ffn_norm."),
    ];

    /// <returns>Tensors that belong to the caller.</returns>
    public static Dictionary<string, Tensor> Load(string folder)
    {
        LibTorch.Require();

        var weights = Find(folder).ToDictionary(
            found => Names.Aggregate(found.Name, (name, pair) => name.Replace(pair.HuggingFace, pair.Reference, StringComparison.Ordinal)),
            found => found.File.Load(found.Name),
            StringComparer.Ordinal);

        if (HuggingFaceArgs.HasTiedEmbeddings(folder))
        {
            // config.json has the say, as for transformers 4, even where the files have another.
            weights.GetValueOrDefault("output.weight")?.Dispose();
            weights["output.weight"] = weights["tok_embeddings.weight"].alias();
        }

        return weights;
    }

    private static IEnumerable<(string Name, RawSafeTensors File)> Find(string folder)
    {
        var single = Path.Combine(folder, "model.safetensors");

        // transformers does not look at an index beside it.
        if (File.Exists(single))
        {
            var file = new RawSafeTensors(single);
            return file.Names.Select(name => (name, file));
        }

        using var index = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "model.safetensors.index.json")));

        return
        [
            .. from entry in index.RootElement.GetProperty("weight_map").EnumerateObject()
               group entry.Name by entry.Value.GetString() into names
               let file = new RawSafeTensors(Path.Combine(folder, names.Key))
               from name in names
               select (name, file),
        ];
    }
}
