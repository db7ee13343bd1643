using System.Collections.Immutable;

namespace Fairseq2Llama.Llama;

/// <summary>
/// One kind of parameter that a LLaMA has: what the conventions call it, what its dimensions mean, and how tensor parallelism
/// splits it. Everything the project knows of parameters is in the table below.
/// </summary>
/// <param name="Fairseq2Prefix">fairseq2's name up to the last dot; <c>N</c> stands for the layer.</param>
/// <param name="ReferencePrefix">Meta's name, as fairseq2's converter (fairseq2/models/llama/_interop.py) maps it.</param>
/// <param name="HuggingFacePrefix">The name in transformers' LlamaForCausalLM.</param>
/// <param name="GgufPrefix">The name in GGUF files (gguf-py's constants.py).</param>
/// <param name="Split">How it is distributed over tensor-parallel shards.</param>
/// <param name="Dims">The meaning of each dimension.</param>
/// <param name="Kind">Its role in the model.</param>
/// <param name="IsRotary">Whether its rows are rotated by position: the two of a pair lie side by side, but not in Hugging Face's format.</param>
internal sealed record LlamaParameter(
    string Fairseq2Prefix, string ReferencePrefix, string HuggingFacePrefix, string GgufPrefix, TensorSplit Split, ImmutableArray<LlamaDim> Dims,
    ParameterKind Kind, bool IsRotary = false)
{
    public const string Suffix = "weight";

    public static readonly LlamaParameter Embedding = new(
        "decoder_frontend.embed.", "tok_embeddings.", "model.embed_tokens.", "token_embd.",
        TensorSplit.VocabularyOrModel, [LlamaDim.VocabSize, LlamaDim.ModelDim], ParameterKind.Embedding);

    public static readonly LlamaParameter Output = new(
        "final_proj.", "output.", "lm_head.", "output.", TensorSplit.Rows, [LlamaDim.VocabSize, LlamaDim.ModelDim], ParameterKind.Output);

    // In the order of fairseq2's modules, which is that of its state dicts.
    public static readonly ImmutableArray<LlamaParameter> All =
    [
        Embedding,
        new("decoder.layers.N.self_attn.q_proj.", "layers.N.attention.wq.", "model.layers.N.self_attn.q_proj.", "blk.N.attn_q.",
            TensorSplit.Rows, [LlamaDim.ModelDim, LlamaDim.ModelDim], ParameterKind.Query, IsRotary: true),
        new("decoder.layers.N.self_attn.k_proj.", "layers.N.attention.wk.", "model.layers.N.self_attn.k_proj.", "blk.N.attn_k.",
            TensorSplit.Rows, [LlamaDim.KeyValueDim, LlamaDim.ModelDim], ParameterKind.Key, IsRotary: true),
        new("decoder.layers.N.self_attn.v_proj.", "layers.N.attention.wv.", "model.layers.N.self_attn.v_proj.", "blk.N.attn_v.",
            TensorSplit.Rows, [LlamaDim.KeyValueDim, LlamaDim.ModelDim], ParameterKind.Value),
        new("decoder.layers.N.self_attn.output_proj.", "layers.N.attention.wo.", "model.layers.N.self_attn.o_proj.", "blk.N.attn_output.",
            TensorSplit.Columns, [LlamaDim.ModelDim, LlamaDim.ModelDim], ParameterKind.AttentionOutput),
        new("decoder.layers.N.self_attn_layer_norm.", "layers.N.attention_norm.", "model.layers.N.input_layernorm.", "blk.N.attn_norm.",
            TensorSplit.Replicated, [LlamaDim.ModelDim], ParameterKind.Norm),
        new("decoder.layers.N.ffn.gate_proj.", "layers.N.feed_forward.w1.", "model.layers.N.mlp.gate_proj.", "blk.N.ffn_gate.",
            TensorSplit.Rows, [LlamaDim.FfnInnerDim, LlamaDim.ModelDim], ParameterKind.FeedForward),
        new("decoder.layers.N.ffn.inner_proj.", "layers.N.feed_forward.w3.", "model.layers.N.mlp.up_proj.", "blk.N.ffn_up.",
            TensorSplit.Rows, [LlamaDim.FfnInnerDim, LlamaDim.ModelDim], ParameterKind.FeedForward),
        new("decoder.layers.N.ffn.output_proj.", "layers.N.feed_forward.w2.", "model.layers.N.mlp.down_proj.", "blk.N.ffn_down.",
            TensorSplit.Columns, [LlamaDim.ModelDim, LlamaDim.FfnInnerDim], ParameterKind.FeedForward),
        new("decoder.layers.N.ffn_layer_norm.", "layers.N.ffn_norm.", "model.layers.N.post_attention_layernorm.", "blk.N.ffn_norm.",
            TensorSplit.Replicated, [LlamaDim.ModelDim], ParameterKind.Norm),
        new("decoder.layer_norm.", "norm.", "model.norm.", "output_norm.", TensorSplit.Replicated, [LlamaDim.ModelDim], ParameterKind.Norm),
        Output,
    ];

    /// <summary>Whether it has a row for each token.</summary>
    public bool IsVocabularyTable => Dims[0] == LlamaDim.VocabSize;

    public bool IsPerLayer => Fairseq2Prefix.StartsWith(NamingConvention.Fairseq2.LayersPrefix, StringComparison.Ordinal);

    /// <summary>The names that a model of this architecture has of this kind, in fairseq2's convention.</summary>
    public IEnumerable<string> NamesIn(LlamaArchitecture architecture) => IsPerLayer
        ? Enumerable.Range(0, architecture.NumLayers).Select(layer => ParameterName.InLayer(Fairseq2Prefix, layer) + Suffix)
        : [Fairseq2Prefix + Suffix];

    public long CountElements(LlamaArchitecture architecture)
    {
        if (this == Output && architecture.TiedEmbeddings)
        {
            return 0;
        }

        var copies = IsPerLayer ? architecture.NumLayers : 1;
        return Dims.Aggregate((long)copies, (count, dim) => checked(count * dim.SizeIn(architecture)));
    }
}

/// <summary>How tensor parallelism distributes a parameter.</summary>
internal enum TensorSplit
{
    /// <summary>Every shard holds all of it.</summary>
    Replicated,

    /// <summary>Along dim 0, as fairseq2's ColumnShardedLinear does.</summary>
    Rows,

    /// <summary>Along dim 1, as fairseq2's RowShardedLinear does.</summary>
    Columns,

    /// <summary>Along the vocabulary (dim 0) for LLaMA 3, along the model dim (dim 1) before; the shapes show which.</summary>
    VocabularyOrModel,
}
