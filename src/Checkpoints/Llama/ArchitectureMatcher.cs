namespace Fairseq2Llama.Llama;

/// <summary>Recognizes architectures of the catalogue by the facts that other formats record, which are not all.</summary>
internal static class ArchitectureMatcher
{
    /// <summary>
    /// Those of the catalogue with the same dimensions and the same base of the rotary frequencies, with the epsilon and the tying of what was told.
    /// How long a sequence may be and whether the encoding is scaled may be different.
    /// </summary>
    public static IEnumerable<LlamaArchitecture> Like(LlamaArchitecture told) =>
        from known in LlamaArchitectures.All
        where known.ModelDim == told.ModelDim
            && known.NumLayers == told.NumLayers
            && known.NumAttnHeads == told.NumAttnHeads
            && known.NumKeyValueHeads == told.NumKeyValueHeads
            && known.FfnInnerDim == told.FfnInnerDim
            && known.VocabSize == told.VocabSize
            && known.RopeTheta == told.RopeTheta
        select known with { NormEps = told.NormEps, TiedEmbeddings = told.TiedEmbeddings };

    /// <summary>One of the catalogue where it is one; otherwise what was told, with the multiplier and the rounding of the FFN where those of a known one fit.</summary>
    /// <param name="told">An architecture of which all is known but how the inner dim of its FFN is computed.</param>
    public static LlamaArchitecture Recognize(LlamaArchitecture told)
    {
        LlamaArchitecture[] known = [.. Like(told)];
        var like = known.FirstOrDefault() ?? told with { ShardEmbedDim = LlamaArchitecture.GuessShardEmbedDim(told.MaxSeqLen) };

        return known.FirstOrDefault(known => known.MaxSeqLen == told.MaxSeqLen && known.RopeScaleFactor == told.RopeScaleFactor)
            ?? told with
            {
                FfnInnerDimMultiplier = like.FfnInnerDimMultiplier,
                FfnInnerDimMultipleOf = like.FfnInnerDimMultipleOf,
                ShardEmbedDim = like.ShardEmbedDim,
            };
    }
}
