using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Tests whether a checkpoint can be exported, and lists everything that is noteworthy about it.</summary>
[Cmdlet(VerbsDiagnostic.Test, "Fairseq2Checkpoint")]
[OutputType(typeof(CheckpointTestResult), typeof(bool))]
public sealed class TestFairseq2CheckpointCommand : CheckpointCmdlet
{
    private LlamaArchitecture? _architecture;

    /// <summary>The checkpoint.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public Fairseq2Checkpoint Checkpoint { get; set; } = null!;

    /// <summary>The architecture that it should have; what its shapes leave possible when absent.</summary>
    [Parameter]
    [Alias("Model")]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(ArchitectureCompleter))]
    public ArchitectureArgument? Architecture { get; set; }

    /// <summary>Gives only $true or $false.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing() => _architecture = FromArgument(() => Architecture?.Get());

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var result = CheckpointTest.Run(Checkpoint, _architecture);

        WriteObject(Quiet ? result.Passed : result);
    }
}
