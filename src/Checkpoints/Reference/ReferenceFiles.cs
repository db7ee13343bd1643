using Fairseq2Llama.Planning;

namespace Fairseq2Llama.Reference;

/// <summary>The files of a folder in the reference format.</summary>
internal sealed class ReferenceFiles : FolderRules
{
    public static readonly ReferenceFiles Rules = new();

    public static readonly FormatDescriptor Descriptor = new(CheckpointFormat.Reference, "Meta's reference format", "Read-LlamaReferenceCheckpoint", Rules)
    {
        IsIn = folder => folder.HasFile(ReferenceShard.NameOf(0)),
        HasWeightsIn = folder => folder.FileNames.Any(ReferenceShard.IsNameOfOne),
        ConfigFile = ReferenceParams.FileName,
        Read = (folder, _, cancellationToken) => LlamaReferenceCheckpoint.Read(folder, cancellationToken),
        MakeOptions = () => new ReferenceExportOptions(),
    };

    public override bool IsWritten(string name) => Is(name, ReferenceParams.FileName, PlannedChecklist.FileName) || ReferenceShard.IsNameOfOne(name);

    /// <summary>Readers load every shard that lies there; and a checklist names files that are not these.</summary>
    public override bool IsStale(string name, IReadOnlySet<string> planned) =>
        ReferenceShard.IsNameOfOne(name) || Is(name, PlannedChecklist.FileName);

    public override string? FindStumblingBlock(string name) => name.EndsWith(".pth", StringComparison.OrdinalIgnoreCase)
        ? "programs that load every *.pth file of a folder will load it, too."
        : null;
}
