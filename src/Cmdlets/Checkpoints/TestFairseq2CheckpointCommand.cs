using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Tests whether a checkpoint can be exported, and lists everything that is noteworthy about it.</summary>
[Cmdlet(VerbsDiagnostic.Test, "Fairseq2Checkpoint")]
[OutputType(typeof(CheckpointTestResult), typeof(bool))]
public sealed class TestFairseq2CheckpointCommand : ArchitectureCmdlet
{
    /// <summary>The checkpoint.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public Fairseq2Checkpoint Checkpoint { get; set; } = null!;

    /// <summary>Gives only $true or $false.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var result = CheckpointTest.Run(Checkpoint, NamedArchitecture);

        WriteObject(Quiet ? result.Passed : result);
    }
}
