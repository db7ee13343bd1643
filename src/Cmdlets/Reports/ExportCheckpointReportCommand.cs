using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Writes a report about a checkpoint: one self-contained page, or Markdown for the summary of a pipeline.</summary>
[Cmdlet(VerbsData.Export, "CheckpointReport", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportCheckpointReportCommand : ArchitectureCmdlet
{
    private readonly WrittenPaths _written = new("a file", "{ \"reports/$($_.Name).html\" }");

    /// <summary>The file to write. A script block is evaluated for each checkpoint.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string DestinationPath { get; set; } = "";

    /// <summary>The checkpoint, of any format.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [Alias("Checkpoint")]
    public LlamaCheckpoint InputObject { get; set; } = null!;

    /// <summary>Html or Markdown; what the file's extension says when absent.</summary>
    [Parameter]
    public ReportFormat? Format { get; set; }

    /// <summary>Reads all data, too, for how the weights are distributed layer by layer.</summary>
    [Parameter]
    public SwitchParameter Statistics { get; set; }

    /// <summary>Replaces a file that is there.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerItem(() =>
    {
        var path = this.ResolveDestination(DestinationPath);
        _written.RequireNew(path);
        var file = ReportFile.At(path, Format, InputObject, Force);

        var description = Display.Text($"Write a report about '{InputObject.Name}' as {file.Format} to '{file.Path}'");
        var isApproved = ShouldProcess(description, description, MyInvocation.MyCommand.Name, out var reason);

        if (isApproved)
        {
            file.Write(Gather(), Stop);

            // The provider's object, because on Unix no other one shows its size and mode.
            WriteObject(InvokeProvider.Item.Get([$"FileSystem::{file.Path}"], force: true, literalPath: true), enumerateCollection: true);
        }

        if (isApproved || reason == ShouldProcessReason.WhatIf)
        {
            _written.Add(path);
        }
    });

    private CheckpointReportOptions Options => new() { Architecture = NamedArchitecture, Statistics = Statistics };

    private CheckpointReport Gather()
    {
        using var progress = new ProgressBar(this, $"Measuring {InputObject.Name}");
        return CheckpointReport.Gather(InputObject, Options, progress, Stop);
    }
}
