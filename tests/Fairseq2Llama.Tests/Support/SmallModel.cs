namespace Fairseq2Llama.Tests.Support;

/// <summary>One of <see cref="SmallModels"/>, as small_models.py describes it.</summary>
internal sealed record SmallModel(string Name, int Dim, int Layers, int Heads, int KvHeads, int Ffn, int Vocab)
{
    public LlamaArchitecture Architecture => new()
    {
        Name = Name,
        ModelDim = Dim,
        NumLayers = Layers,
        NumAttnHeads = Heads,
        NumKeyValueHeads = KvHeads,
        FfnInnerDimMultipleOf = Ffn,
        VocabSize = Vocab,
    };
}
