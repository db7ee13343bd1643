namespace Fairseq2Llama.Llama;

/// <summary>The role of a parameter in a model.</summary>
internal enum ParameterKind
{
    /// <summary>The table of token embeddings.</summary>
    Embedding,

    /// <summary>The query projection of attention.</summary>
    Query,

    /// <summary>The key projection of attention.</summary>
    Key,

    /// <summary>The value projection of attention.</summary>
    Value,

    /// <summary>The output projection of attention.</summary>
    AttentionOutput,

    /// <summary>One of the three matrices of the FFN.</summary>
    FeedForward,

    /// <summary>The scales of an RMS norm.</summary>
    Norm,

    /// <summary>The projection to the vocabulary.</summary>
    Output,

    /// <summary>Tensors that LLaMA does not have: biases, adapters.</summary>
    Other,
}
