using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Writes a report about a checkpoint, or about a comparison of two: one self-contained page, or Markdown for the summary of a pipeline.</summary>
[Cmdlet(VerbsData.Export, "CheckpointReport", SupportsShouldProcess = true, DefaultParameterSetName = PathSet)]
[OutputType(typeof(FileInfo))]
public sealed class ExportCheckpointReportCommand : DestinationCmdlet
{
    private readonly WrittenPaths _written = new("a file", "{ \"reports/$($_.Name).html\" }");

    /// <summary>How two checkpoints compare, as Compare-LlamaCheckpoint -Summary gives it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ItemSet)]
    [ValidateNotNull]
    public CheckpointComparisonSummary Comparison { get; set; } = null!;

    /// <summary>Html or Markdown; what the file's extension says when absent.</summary>
    [Parameter]
    public ReportFormat? Format { get; set; }

    /// <summary>Reads all data, too, for how the weights are distributed layer by layer.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = CheckpointSet)]
    public SwitchParameter Statistics { get; set; }

    /// <summary>Replaces a file that is there.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == ItemSet)
        {
            PerItem(() => Export(Comparison, GetDestination(Comparison)));
        }
        else
        {
            PerCheckpoint(Export);
        }
    }

    private void Export(CheckpointComparisonSummary comparison, CheckpointAddress destination)
    {
        var path = PathOf(destination);

        if (NamedArchitecture is not null)
        {
            WriteWarning("-Architecture is not used for the report of a comparison.");
        }

        _written.RequireNew(path);
        var file = ReportFile.At(path, Format, comparison, Force);
        Export(file, $"how '{comparison.Reference}' and '{comparison.Difference}' compare", () => file.Write(new ComparisonReport(comparison), Stop));
    }

    private void Export(LlamaCheckpoint checkpoint, CheckpointAddress destination)
    {
        var path = PathOf(destination);
        _written.RequireNew(path);
        var file = ReportFile.At(path, Format, checkpoint, Force);
        Export(file, $"'{checkpoint.Name}'", () => file.Write(Gather(checkpoint), Stop));
    }

    private static string PathOf(CheckpointAddress destination) => destination.IsRemote
        ? throw new CheckpointException(
            CheckpointErrorCode.WriteFailed, $"'{destination}' is in a store. Write the report to a local file, and upload that.", destination.Text)
        : destination.Text;

    private void Export(ReportFile file, string subject, Action write)
    {
        var description = Display.Text($"Write a report about {subject} as {(file.Format == ReportFormat.Html ? "HTML" : file.Format)} to '{file.Path}'");
        var isApproved = ShouldProcess(description, description, MyInvocation.MyCommand.Name, out var reason);

        if (isApproved)
        {
            write();

            // The provider's object, because on Unix no other one shows its size and mode.
            WriteObject(InvokeProvider.Item.Get([$"FileSystem::{file.Path}"], force: true, literalPath: true), enumerateCollection: true);
        }

        if (isApproved || reason == ShouldProcessReason.WhatIf)
        {
            _written.Add(file.Path);
        }
    }

    private CheckpointReport Gather(LlamaCheckpoint checkpoint)
    {
        using var progress = new ProgressBar(this, $"Measuring {checkpoint.Name}");
        return CheckpointReport.Gather(checkpoint, new() { Architecture = NamedArchitecture, Statistics = Statistics }, progress, Stop);
    }
}
