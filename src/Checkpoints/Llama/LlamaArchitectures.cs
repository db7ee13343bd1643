using System.Collections.Immutable;

namespace Fairseq2Llama;

/// <summary>
/// The architectures that fairseq2 knows (fairseq2/models/llama/_config.py, 0.3.0 to 0.8.1), with one correction: fairseq2 gives
/// <c>13b</c> and <c>llama2_13b</c> 32 layers in every version; the published models have 40, and so do these.
/// </summary>
public static class LlamaArchitectures
{
    private const int Llama2SeqLen = 4096;
    private const int Llama3SeqLen = 8192;
    private const int Llama31SeqLen = 131072;

    private static readonly LlamaArchitecture Size7B = new() { Name = "7b", AssetNames = ["llama_7b"] };
    private static readonly LlamaArchitecture Size13B = Size7B with
    {
        Name = "13b",
        ModelDim = 5120,
        NumLayers = 40,
        NumAttnHeads = 40,
        NumKeyValueHeads = 40,
        AssetNames = [],
    };

    private static readonly LlamaArchitecture Size65B = Size7B with
    {
        Name = "65b",
        ModelDim = 8192,
        NumLayers = 80,
        NumAttnHeads = 64,
        NumKeyValueHeads = 64,
        AssetNames = [],
    };

    private static readonly LlamaArchitecture Size70B = Size65B with
    {
        Name = "llama2_70b",
        NumKeyValueHeads = 8,
        FfnInnerDimMultiplier = 1.3,
        FfnInnerDimMultipleOf = 4096,
        MaxSeqLen = Llama2SeqLen,
        AssetNames = ["llama2_70b", "llama2_70b_chat"],
    };

    private static readonly LlamaArchitecture Llama3Size8B = Size7B with
    {
        Name = "llama3_8b",
        NumKeyValueHeads = 8,
        FfnInnerDimMultiplier = 1.3,
        FfnInnerDimMultipleOf = 1024,
        MaxSeqLen = Llama3SeqLen,
        VocabSize = 128256,
        RopeTheta = 500_000.0,
        AssetNames = ["llama3_8b", "llama3_8b_instruct"],
    };

    private static readonly LlamaArchitecture Llama3Size70B = Size70B with
    {
        Name = "llama3_70b",
        MaxSeqLen = Llama3SeqLen,
        VocabSize = 128256,
        RopeTheta = 500_000.0,
        AssetNames = ["llama3_70b", "llama3_70b_instruct"],
    };

    private static readonly LlamaArchitecture Llama32Size3B = Llama3Size8B with
    {
        Name = "llama3_2_3b",
        ModelDim = 3072,
        NumLayers = 28,
        NumAttnHeads = 24,
        FfnInnerDimMultiplier = 1.0,
        FfnInnerDimMultipleOf = 256,
        MaxSeqLen = Llama31SeqLen,
        RopeScaleFactor = 32.0,
        TiedEmbeddings = true,
        AssetNames = ["llama3_2_3b", "llama3_2_3b_instruct"],
    };

    /// <summary>All of them, oldest and smallest first.</summary>
    public static ImmutableArray<LlamaArchitecture> All { get; } =
    [
        Size7B,
        Size13B,
        Size7B with { Name = "33b", ModelDim = 6656, NumLayers = 60, NumAttnHeads = 52, NumKeyValueHeads = 52, AssetNames = [] },
        Size65B,
        Size7B with { Name = "llama2_7b", MaxSeqLen = Llama2SeqLen, AssetNames = ["llama2_7b", "llama2_7b_chat"] },
        Size13B with { Name = "llama2_13b", MaxSeqLen = Llama2SeqLen, AssetNames = ["llama2_13b", "llama2_13b_chat"] },
        Size70B,
        Llama3Size8B,
        Llama3Size70B,
        Llama3Size8B with
        {
            Name = "llama3_1_8b", MaxSeqLen = Llama31SeqLen, RopeScaleFactor = 8.0,
            AssetNames = ["llama3_1_8b", "llama3_1_8b_instruct", "r1_distilled_llama3_1_8b_instruct"],
        },
        Llama3Size70B with
        {
            Name = "llama3_1_70b", MaxSeqLen = Llama31SeqLen, RopeScaleFactor = 8.0,
            AssetNames = ["llama3_1_70b", "llama3_1_70b_instruct", "llama3_3_70b_instruct"],
        },
        Llama32Size3B,
        Llama32Size3B with
        {
            Name = "llama3_2_1b", ModelDim = 2048, NumLayers = 16, NumAttnHeads = 32, FfnInnerDimMultiplier = 1.5,
            AssetNames = ["llama3_2_1b", "llama3_2_1b_instruct"],
        },
    ];

    /// <summary>The architecture of that name, or of the asset of that name, in any case.</summary>
    /// <exception cref="CheckpointException">There is none; the message names those that are close.</exception>
    public static LlamaArchitecture Find(string name) =>
        All.FirstOrDefault(architecture => Answers(architecture, name))
        ?? throw new CheckpointException(
            CheckpointErrorCode.ArchitectureUnknown,
            $"There is no architecture '{name}'. Known are {string.Join(", ", All)}; Get-LlamaArchitecture shows them, and"
            + " New-LlamaArchitecture makes one of your own.",
            name);

    private static bool Answers(LlamaArchitecture architecture, string name) =>
        architecture.AssetNames.Prepend(architecture.Name).Contains(name, StringComparer.OrdinalIgnoreCase);
}
