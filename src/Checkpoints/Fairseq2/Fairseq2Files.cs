using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>The files of a folder with a checkpoint of fairseq2 in one file.</summary>
internal sealed class Fairseq2Files : FolderRules
{
    public static readonly Fairseq2Files Rules = new();

    public static readonly FormatDescriptor Descriptor = new(CheckpointFormat.Fairseq2, "fairseq2's format", "Read-Fairseq2Checkpoint", Rules)
    {
        IsIn = folder => CheckpointLayouts.HasModel(folder) || TrainingRun.Find(folder) is not null,
        HasWeightsIn = folder => CheckpointLayouts.HasModel(folder) || TrainingRun.Find(folder) is { HasModels: true },
        ConfigFile = SingleFileLayout.FileName,
        Read = (folder, options, cancellationToken) => Fairseq2Checkpoint.Read(folder, options.Step, options.Log, cancellationToken),
        MakeOptions = () => new Fairseq2ExportOptions(),
    };

    public override bool IsWritten(string name) => Is(name, SingleFileLayout.FileName, ModelConfig.FileName);

    public override bool IsStale(string name, IReadOnlySet<string> planned) => false;

    public override string? FindStumblingBlock(string name) => null;

    /// <summary>It would be unclear which of two checkpoints is meant, and a model beside the steps of a run would hide them.</summary>
    public override string? FindObstacle(ICheckpointFolder folder) =>
        CheckpointLayouts.HasDividedModel(folder) ? "holds a checkpoint in several files, so another one beside it could not be read."
        : TrainingRun.Find(folder) is not null ? "is a training run, and a model beside its steps would hide them."
        : null;
}
