using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Reports;

/// <summary>What people call the kinds of parameters.</summary>
internal static class KindNames
{
    public static ParameterKind KindOf(CheckpointTensor tensor) => tensor.ParsedName.Parameter?.Kind ?? ParameterKind.Other;

    /// <summary>One that is outside of the layers, as comparisons call it.</summary>
    public static string OfOne(ParameterKind kind) => kind == ParameterKind.Norm ? "final norm" : Of(kind).ToLowerInvariant();

    public static string Of(ParameterKind kind) => kind switch
    {
        ParameterKind.Embedding => "Embedding",
        ParameterKind.Query => "Attention query",
        ParameterKind.Key => "Attention key",
        ParameterKind.Value => "Attention value",
        ParameterKind.AttentionOutput => "Attention output",
        ParameterKind.FeedForward => "FFN",
        ParameterKind.Norm => "Norms",
        ParameterKind.Output => "Output",
        _ => "Other",
    };
}
