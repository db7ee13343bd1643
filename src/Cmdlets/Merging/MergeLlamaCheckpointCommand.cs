using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Averages checkpoints of one model, such as the last steps of a training run.</summary>
[Cmdlet(VerbsData.Merge, "LlamaCheckpoint")]
[OutputType(typeof(MergedCheckpoint))]
public sealed class MergeLlamaCheckpointCommand : StoreCmdlet
{
    private readonly List<LlamaCheckpoint> _checkpoints = [];

    /// <summary>Checkpoints of any format, or their paths, which may have wildcards.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("Path")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public CheckpointArgument[] Checkpoint { get; set; } = [];

    /// <summary>A weight for each checkpoint, in their order. The average is divided by their sum. Equal weights when absent.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public double[] Weight { get; set; } = [];

    /// <summary>The name of the average; that of the first checkpoint with -average behind it when absent.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerCheckpoint(Checkpoint, _checkpoints.Add);

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        WarnIfNothingWasPiped("average");

        // An average of the others would look like that of all.
        if (HasFailed)
        {
            WriteWarning("Nothing is averaged, because not all of the checkpoints could be read.");
        }
        else if (_checkpoints.Count > 0)
        {
            PerItem(() => WriteMerged(CheckpointAverage.Of(_checkpoints, [.. Weight], Name)));
        }
    }
}
