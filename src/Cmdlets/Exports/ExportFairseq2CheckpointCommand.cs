using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Exports a checkpoint for fairseq2: model.pt and model.yaml as 0.4.6 writes them.</summary>
[Cmdlet(VerbsData.Export, "Fairseq2Checkpoint", DefaultParameterSetName = PathSet, SupportsShouldProcess = true)]
[OutputType(typeof(Fairseq2Checkpoint))]
public sealed class ExportFairseq2CheckpointCommand : ExportCommand
{
    private protected override ExportOptions MakeOptions(CheckpointAddress destination) => new Fairseq2ExportOptions();
}
