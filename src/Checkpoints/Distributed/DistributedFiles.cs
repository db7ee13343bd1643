using Fairseq2Llama.Planning;

namespace Fairseq2Llama.Distributed;

/// <summary>The files of a folder with a distributed checkpoint.</summary>
internal sealed class DistributedFiles : FolderRules
{
    public static readonly DistributedFiles Rules = new();

    public static readonly FormatDescriptor Descriptor = new(CheckpointFormat.Distributed, "PyTorch's distributed format", "Read-DistributedCheckpoint", Rules)
    {
        IsIn = DistributedLayout.IsIn,
        HasWeightsIn = folder => folder.FileNames.Any(DistributedLayout.HoldsWeights),
        ConfigFile = DistributedLayout.MarkerName,
        IsPart = DistributedLayout.IsPart,
        Read = DistributedCheckpoint.Read,
    };

    /// <summary>No export writes any.</summary>
    public override bool IsWritten(string name) => false;

    public override bool IsStale(string name, IReadOnlySet<string> planned) => false;

    public override string? FindStumblingBlock(string name) => null;
}
