using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that exports to a format with several tensor files, which several jobs can write.</summary>
public abstract class ShardedExportCommand : ExportCommand
{
    private protected ShardedExportCommand()
    {
    }

    /// <summary>As for <see cref="ExportCommand"/>.</summary>
    private protected ShardedExportCommand(string place, string example)
        : base(place, example)
    {
    }

    /// <summary>Writes only these of the tensor files, counted from 0. Other jobs write the others into the same folder.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ValidateRange(0, 99998)]
    public int[] ShardIndex { get; set; } = [];

    /// <summary>Checks the tensor files that jobs with -ShardIndex have written, and writes all other files: the last step of such an export.</summary>
    [Parameter]
    public SwitchParameter CompleteShards { get; set; }

    private protected sealed override int[] JobShards => ShardIndex;

    private protected sealed override bool CompletesShards => CompleteShards;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();

        if (CompleteShards && ShardIndex.Length > 0)
        {
            ThrowTerminatingError(ErrorRecords.Ambiguous("-ShardIndex and -CompleteShards are different steps of an export. Use them in separate commands."));
        }
    }
}
