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
        FindMeant = FindSplit,
        Read = (place, _, cancellationToken) => LlamaGgufCheckpoint.Read(place, cancellationToken),
        MakeOptions = () => new GgufExportOptions { FileName = "model.gguf" },
    };

    /// <summary>A shell may stand in it, or other models come to lie in it at the same time.</summary>
    public override bool OwnsFolder => false;

    public override string? Stem => stem;

    public override bool IsWritten(string name) => GgufFileName.Parse(name) is { } parsed && (stem is null || Is(parsed.Stem, stem));

    /// <summary>A model that was split into another number of files.</summary>
    public override bool IsStale(string name, IReadOnlySet<string> planned) => IsWritten(name);

    public override string? FindStumblingBlock(string name) => null;

    /// <summary>The first file of a split model, which people call by the name that they gave its export.</summary>
    private static StoredFile? FindSplit(ICheckpointFolder place) =>
        place.Parent is { Exists: true, CanList: true } folder && GgufFileName.Parse(place.Name) is { Count: 1, Stem: var whole }
            ? folder.FileNames.Where(name => GgufFileName.Parse(name) is { Number: 1, Count: > 1 } part && Is(part.Stem, whole)).Order(StringComparer.Ordinal)
                .Select(name => new StoredFile(folder, name)).FirstOrDefault()
            : null;

    private static bool HasModel(ICheckpointFolder folder) => folder.Exists && folder.CanList && folder.FileNames.Any(GgufModel.IsNameOfOne);
}
