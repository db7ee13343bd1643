namespace Fairseq2Llama.Llama;

/// <summary>Recognizes architectures of the catalogue by what other formats tell of them, which is not all.</summary>
internal static class KnownArchitecture
{
    /// <summary>
    /// The first of the catalogue with the same dimensions and rotary frequencies, with the epsilon and the tying of what was told; null when there is
    /// none. How long a sequence may be and how an unscaled model differs from a scaled one other formats often do not tell.
    /// </summary>
    public static LlamaArchitecture? Like(LlamaArchitecture told) => LlamaArchitectures.All.FirstOrDefault(known =>
            known.ModelDim == told.ModelDim
            && known.NumLayers == told.NumLayers
            && known.NumAttnHeads == told.NumAttnHeads
            && known.NumKeyValueHeads == told.NumKeyValueHeads
            && known.FfnInnerDim == told.FfnInnerDim
            && known.VocabSize == told.VocabSize
            && known.RopeTheta == told.RopeTheta
            && known.RopeScaleFactor is null == told.RopeScaleFactor is null) is { } found
        ? found with { NormEps = told.NormEps, TiedEmbeddings = told.TiedEmbeddings }
        : null;
}
