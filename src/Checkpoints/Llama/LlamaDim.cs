namespace Fairseq2Llama.Llama;

/// <summary>The meaning of a dimension of a parameter.</summary>
internal enum LlamaDim
{
    /// <summary>The width of the residual stream.</summary>
    ModelDim,

    /// <summary>Key/value heads times the width of a head.</summary>
    KeyValueDim,

    /// <summary>The width of the FFN.</summary>
    FfnInnerDim,

    /// <summary>Tokens.</summary>
    VocabSize,
}

internal static class LlamaDimExtensions
{
    public static long SizeIn(this LlamaDim dim, LlamaArchitecture architecture) => dim switch
    {
        LlamaDim.ModelDim => architecture.ModelDim,
        LlamaDim.KeyValueDim => architecture.KeyValueDim,
        LlamaDim.FfnInnerDim => architecture.FfnInnerDim,
        LlamaDim.VocabSize => architecture.VocabSize,
        _ => throw new ArgumentOutOfRangeException(nameof(dim)),
    };
}
