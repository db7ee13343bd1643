namespace Fairseq2Llama.Gguf;

/// <summary>The keys of a LLaMA's metadata (gguf-py's constants.py).</summary>
internal static class MetadataKeys
{
    public const string Architecture = "general.architecture", Type = "general.type", Name = "general.name", SizeLabel = "general.size_label", FileType = "general.file_type",
        QuantizationVersion = "general.quantization_version", Alignment = "general.alignment";

    public const string BlockCount = "llama.block_count", ContextLength = "llama.context_length", EmbeddingLength = "llama.embedding_length",
        FeedForwardLength = "llama.feed_forward_length", HeadCount = "llama.attention.head_count", HeadCountKV = "llama.attention.head_count_kv",
        RopeFreqBase = "llama.rope.freq_base", RopeScalingType = "llama.rope.scaling.type", RopeScaleLinear = "llama.rope.scale_linear", RopeDimensionCount = "llama.rope.dimension_count",
        NormEpsilon = "llama.attention.layer_norm_rms_epsilon", KeyLength = "llama.attention.key_length", ValueLength = "llama.attention.value_length",
        VocabSize = "llama.vocab_size", ExpertCount = "llama.expert_count";

    public const string SplitNumber = "split.no", SplitCount = "split.count", SplitTensorCount = "split.tensors.count";

    public const string TokenizerModel = "tokenizer.ggml.model";

    public const string BosTokenId = "tokenizer.ggml.bos_token_id", EosTokenId = "tokenizer.ggml.eos_token_id";

    /// <summary>What the keys about a vocabulary begin with.</summary>
    public const string TokenizerPrefix = "tokenizer.";

    /// <summary>What the keys about how to choose tokens begin with.</summary>
    public const string SamplingPrefix = "general.sampling.";

    /// <summary>What the keys about a model in general begin with.</summary>
    public const string GeneralPrefix = "general.";
}
