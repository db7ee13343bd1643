using System.Collections.Immutable;

namespace Fairseq2Llama;

/// <summary>A LLaMA in Meta's reference format: a folder with consolidated.NN.pth and params.json.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Architecture">The architecture that params.json tells.</param>
/// <param name="ShardCount">The number of files that the weights are divided into, one for each model-parallel rank.</param>
/// <param name="Files">These files, or those of them that were written, by rank; then params.json.</param>
/// <param name="SizeInBytes">Bytes of the files.</param>
public sealed record LlamaReferenceCheckpoint(
    string Path, LlamaArchitecture Architecture, int ShardCount, ImmutableArray<string> Files, long SizeInBytes)
{
    /// <summary>The folder's name.</summary>
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>What a plan of <see cref="ReferenceExport"/> has made once it was carried out.</summary>
    public static LlamaReferenceCheckpoint From(ConversionPlan plan) => new(
        plan.DestinationPath,
        plan.Architecture,
        plan.ShardCount,
        [.. plan.Files.Select(file => System.IO.Path.Combine(plan.DestinationPath, file.Name))],
        plan.Length);

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
