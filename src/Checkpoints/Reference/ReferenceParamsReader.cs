using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Reference;

/// <summary>
/// Reads params.json, nested or flat, with the defaults that Meta's loaders (llama/model.py, llama-models' args.py) and Hugging Face's
/// converter have for what is left out.
/// </summary>
internal static class ReferenceParamsReader
{
    /// <param name="root">The content of the file.</param>
    /// <param name="name">The name for an architecture that is not in the catalogue.</param>
    /// <param name="tensors">The weights. They show the vocabulary size if the file does not (Meta ships -1), and whether the output is tied.</param>
    /// <exception cref="CheckpointException">It lacks what has no default, or contradicts itself.</exception>
    public static ArchitectureFile Read(JsonSettings root, string name, IReadOnlyCollection<CheckpointTensor> tensors)
    {
        var nested = root.Find("model");
        var json = nested ?? root;
        var heads = json.Require("n_heads");

        // The nested form never says it, be the encoding scaled or not.
        var isScaled = json.Flag("use_scaled_rope") ?? (nested is null ? false : null);

        var told = new LlamaArchitecture
        {
            Name = name,
            ModelDim = json.Require("dim"),
            NumLayers = json.Require("n_layers"),
            NumAttnHeads = heads,
            NumKeyValueHeads = json.Integer("n_kv_heads") ?? heads,
            FfnInnerDimMultipleOf = json.Integer("multiple_of") ?? 256,
            FfnInnerDimMultiplier = json.Number("ffn_dim_multiplier") ?? 1,
            NormEps = json.Number("norm_eps") ?? 1e-5,

            // Of Meta's loaders only one knows use_scaled_rope, and its default is that of LLaMA 3.
            RopeTheta = json.Number("rope_theta")
                ?? (json.Flag("use_scaled_rope") is null ? ReferenceParams.Llama2RopeTheta : ReferenceParams.Llama3RopeTheta),
            RopeScaleFactor = isScaled == true ? json.Number("rope_scaling_factor") ?? RotaryScale.DefaultFactor : null,
            VocabSize = json.Integer("vocab_size") is > 0 and var size ? size : FindVocabSize(tensors),
            TiedEmbeddings = SharedStorage.IsOutputTied(tensors),
        };

        told.Validate();

        // For unusual multipliers Meta's loaders and fairseq2 round differently; the weights are Meta's.
        if (told.FfnInnerDim != told.ReferenceFfnInnerDim && told.ReferenceFfnInnerDim is > 0 and <= int.MaxValue and var innerDim)
        {
            told = told.WithFfnInnerDim((int)innerDim);
            told.Validate();
        }

        LlamaArchitecture[] known = [.. ArchitectureMatcher.Like(told).Where(known => isScaled is null || isScaled == known.RopeScaleFactor is not null)];
        var maxSeqLen = told.RopeTheta > ReferenceParams.Llama2RopeTheta ? 8192 : 2048;

        return new ArchitectureFile(root.File)
        {
            Architecture = known.FirstOrDefault()
                ?? told with { MaxSeqLen = maxSeqLen, ShardEmbedDim = LlamaArchitecture.GuessShardEmbedDim(maxSeqLen) },
            Alternatives = [.. known.Skip(1)],
            Guessed = known.Length > 0 ? null : isScaled is null ? "how long sequences may be and whether rotary encoding is scaled" : "how long sequences may be",
        };
    }

    private static int FindVocabSize(IEnumerable<CheckpointTensor> tensors) =>
        tensors.FirstOrDefault(tensor => tensor.ParsedName.Parameter == LlamaParameter.Embedding) is { Shape: { Count: 2 } shape }
            ? (int)Math.Min(shape[0], int.MaxValue)
            : 0;
}
