namespace Fairseq2Llama.Tests.Support;

/// <summary>The architecture of the models in tests/data: TINY in make_test_data.py.</summary>
internal static class TinyModel
{
    public static LlamaArchitecture Architecture { get; } = new()
    {
        Name = "tiny",
        ModelDim = 16,
        NumLayers = 2,
        NumAttnHeads = 4,
        NumKeyValueHeads = 2,
        VocabSize = 40,
        FfnInnerDimMultipleOf = 8,
    };

    public static LlamaArchitecture Tied { get; } = Architecture with { Name = "tiny-tied", TiedEmbeddings = true };
}
