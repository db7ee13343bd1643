using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Gguf;

/// <summary>The files of a model in a folder that may have other models beside it.</summary>
/// <param name="stem">The name of the model; null for any.</param>
internal sealed class GgufFiles(string? stem = null) : FolderRules
{
    public static readonly FormatDescriptor Descriptor = new(CheckpointFormat.Gguf, "GGUF files", "Read-LlamaCheckpoint", new GgufFiles())
    {
        IsIn = HasModel,
        HasWeightsIn = HasModel,
        HasChecksums = false,
        HoldsQuantized = true,
        IsReadByFile = true,
        FirstOf = name => GgufFileName.Parse(name) is { Number: > 1 } part ? (part with { Number = 1 }).Text : null,
        Read = (place, _, cancellationToken) => LlamaGgufCheckpoint.Read(place, cancellationToken),
        MakeOptions = () => new GgufExportOptions { FileName = "model.gguf" },
    };

    /// <summary>A shell may stand in it, or other models come to lie in it at the same time.</summary>
    public override bool OwnsFolder => false;

    public override bool IsWritten(string name) => GgufFileName.Parse(name) is { } parsed && (stem is null || Is(parsed.Stem, stem));

    /// <summary>A model that was split into another number of files.</summary>
    public override bool IsStale(string name, IReadOnlySet<string> planned) => IsWritten(name);

    public override string? FindStumblingBlock(string name) => null;

    private static bool HasModel(ICheckpointFolder folder) => folder.Exists && folder.CanList && folder.FileNames.Any(GgufModel.IsNameOfOne);
}
