using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Writes a report about a checkpoint, or about a comparison of two: one self-contained page, or Markdown for the summary of a pipeline.</summary>
[Cmdlet(VerbsData.Export, "CheckpointReport", SupportsShouldProcess = true, DefaultParameterSetName = CheckpointSet)]
[OutputType(typeof(FileInfo))]
public sealed class ExportCheckpointReportCommand : ArchitectureCmdlet
{
    private const string CheckpointSet = "Checkpoint";
    private const string ComparisonSet = "Comparison";

    private readonly WrittenPaths _written = new("a file", "{ \"reports/$($_.Name).html\" }");

    /// <summary>The file to write. A script block is evaluated for each checkpoint.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string DestinationPath { get; set; } = "";

    /// <summary>The checkpoint, of any format.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = CheckpointSet)]
    [Alias("Checkpoint")]
    public LlamaCheckpoint InputObject { get; set; } = null!;

    /// <summary>How two checkpoints compare, as Compare-LlamaCheckpoint -Summary gives it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ComparisonSet)]
    public CheckpointComparisonSummary Comparison { get; set; } = null!;

    /// <summary>Html or Markdown; what the file's extension says when absent.</summary>
    [Parameter]
    public ReportFormat? Format { get; set; }

    /// <summary>Reads all data, too, for how the weights are distributed layer by layer.</summary>
    [Parameter(ParameterSetName = CheckpointSet)]
    public SwitchParameter Statistics { get; set; }

    /// <summary>Replaces a file that is there.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerItem(() =>
    {
        var path = this.ResolveDestination(DestinationPath);
        _written.RequireNew(path);
        var file = IsComparison ? ReportFile.At(path, Format, Comparison, Force) : ReportFile.At(path, Format, InputObject, Force);

        var subject = IsComparison ? $"how '{Comparison.Reference}' and '{Comparison.Difference}' compare" : $"'{InputObject.Name}'";
        var description = Display.Text($"Write a report about {subject} as {file.Format} to '{file.Path}'");
        var isApproved = ShouldProcess(description, description, MyInvocation.MyCommand.Name, out var reason);

        if (isApproved)
        {
            Write(file);

            // The provider's object, because on Unix no other one shows its size and mode.
            WriteObject(InvokeProvider.Item.Get([$"FileSystem::{file.Path}"], force: true, literalPath: true), enumerateCollection: true);
        }

        if (isApproved || reason == ShouldProcessReason.WhatIf)
        {
            _written.Add(path);
        }
    });

    private bool IsComparison => ParameterSetName == ComparisonSet;

    private void Write(ReportFile file)
    {
        if (!IsComparison)
        {
            file.Write(Gather(), Stop);
            return;
        }

        if (NamedArchitecture is not null)
        {
            WriteWarning("-Architecture is not used for the report of a comparison.");
        }

        file.Write(new ComparisonReport(Comparison), Stop);
    }

    private CheckpointReportOptions Options => new() { Architecture = NamedArchitecture, Statistics = Statistics };

    private CheckpointReport Gather()
    {
        using var progress = new ProgressBar(this, $"Measuring {InputObject.Name}");
        return CheckpointReport.Gather(InputObject, Options, progress, Stop);
    }
}
