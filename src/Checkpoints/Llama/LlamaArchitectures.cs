using System.Collections.Immutable;

namespace Fairseq2Llama;

/// <summary>
/// The architectures that fairseq2 knows (fairseq2/models/llama/_config.py, 0.3.0 to 0.8.1), with one correction: fairseq2 gives
/// <c>13b</c> and <c>llama2_13b</c> 32 layers in every version; the published models have 40, and so do these.
/// </summary>
public static class LlamaArchitectures
{
    /// <summary>All of them, oldest and smallest first.</summary>
    public static ImmutableArray<LlamaArchitecture> All { get; } =
    [
        Llama("7b", 4096, 32, heads: (32, 32), ffn: (1.0, 256), 2048, ["llama_7b"]),
        Llama("13b", 5120, 40, heads: (40, 40), ffn: (1.0, 256), 2048, []),
        Llama("33b", 6656, 60, heads: (52, 52), ffn: (1.0, 256), 2048, []),
        Llama("65b", 8192, 80, heads: (64, 64), ffn: (1.0, 256), 2048, []),
        Llama("llama2_7b", 4096, 32, heads: (32, 32), ffn: (1.0, 256), 4096, ["llama2_7b", "llama2_7b_chat"]),
        Llama("llama2_13b", 5120, 40, heads: (40, 40), ffn: (1.0, 256), 4096, ["llama2_13b", "llama2_13b_chat"]),
        Llama("llama2_70b", 8192, 80, heads: (64, 8), ffn: (1.3, 4096), 4096, ["llama2_70b", "llama2_70b_chat"]),
        Llama3("llama3_8b", 4096, 32, heads: (32, 8), ffn: (1.3, 1024), ["llama3_8b", "llama3_8b_instruct"]),
        Llama3("llama3_70b", 8192, 80, heads: (64, 8), ffn: (1.3, 4096), ["llama3_70b", "llama3_70b_instruct"]),
        Llama31("llama3_1_8b", 4096, 32, heads: (32, 8), ffn: (1.3, 1024), 8.0, ["llama3_1_8b", "llama3_1_8b_instruct", "r1_distilled_llama3_1_8b_instruct"]),
        Llama31("llama3_1_70b", 8192, 80, heads: (64, 8), ffn: (1.3, 4096), 8.0, ["llama3_1_70b", "llama3_1_70b_instruct", "llama3_3_70b_instruct"]),
        Llama32("llama3_2_3b", 3072, 28, heads: (24, 8), ffn: (1.0, 256), ["llama3_2_3b", "llama3_2_3b_instruct"]),
        Llama32("llama3_2_1b", 2048, 16, heads: (32, 8), ffn: (1.5, 256), ["llama3_2_1b", "llama3_2_1b_instruct"]),
    ];

    /// <summary>The architecture of that name, or of the asset of that name, in any case.</summary>
    /// <exception cref="CheckpointException">There is none; the message names all there are.</exception>
    public static LlamaArchitecture Find(string name) =>
        TryFind(name)
        ?? throw new CheckpointException(
            CheckpointErrorCode.ArchitectureUnknown,
            $"There is no architecture '{name}'. The known ones are {string.Join(", ", All)}. Get-LlamaArchitecture lists them, and"
            + " New-LlamaArchitecture makes one of your own.",
            name);

    /// <summary>The architecture of that name, or of the asset of that name, in any case; null when there is none.</summary>
    internal static LlamaArchitecture? TryFind(string name) => All.FirstOrDefault(architecture => Answers(architecture, name));

    private static bool Answers(LlamaArchitecture architecture, string name) =>
        architecture.AssetNames.Prepend(architecture.Name).Contains(name, StringComparer.OrdinalIgnoreCase);

    private static LlamaArchitecture Llama(
        string name, int modelDim, int layers, (int Query, int KeyValue) heads, (double Multiplier, int MultipleOf) ffn, int maxSeqLen, ImmutableArray<string> assets) => new()
        {
            Name = name,
            ModelDim = modelDim,
            NumLayers = layers,
            NumAttnHeads = heads.Query,
            NumKeyValueHeads = heads.KeyValue,
            FfnInnerDimMultiplier = ffn.Multiplier,
            FfnInnerDimMultipleOf = ffn.MultipleOf,
            MaxSeqLen = maxSeqLen,
            AssetNames = assets,
        };

    private static LlamaArchitecture Llama3(
        string name, int modelDim, int layers, (int Query, int KeyValue) heads, (double Multiplier, int MultipleOf) ffn, ImmutableArray<string> assets) =>
        Llama(name, modelDim, layers, heads, ffn, maxSeqLen: 8192, assets) with { VocabSize = 128256, RopeTheta = 500_000.0, ShardEmbedDim = false };

    private static LlamaArchitecture Llama31(
        string name, int modelDim, int layers, (int Query, int KeyValue) heads, (double Multiplier, int MultipleOf) ffn, double ropeScaleFactor, ImmutableArray<string> assets) =>
        Llama3(name, modelDim, layers, heads, ffn, assets) with { MaxSeqLen = 131072, RopeScaleFactor = ropeScaleFactor };

    private static LlamaArchitecture Llama32(
        string name, int modelDim, int layers, (int Query, int KeyValue) heads, (double Multiplier, int MultipleOf) ffn, ImmutableArray<string> assets) =>
        Llama31(name, modelDim, layers, heads, ffn, ropeScaleFactor: 32.0, assets) with { TiedEmbeddings = true };
}
