using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// A command that writes something about a checkpoint to a destination. Both can be arguments; where checkpoints are piped to it, there is only the
/// destination left to name, and then the first argument is that.
/// </summary>
public abstract class DestinationCmdlet : ArchitectureCmdlet
{
    private protected const string PathSet = "Path";
    private protected const string CheckpointSet = "Checkpoint";

    /// <summary>Where something else is piped: tensors to an export, a comparison to a report.</summary>
    private protected const string ItemSet = "Item";

    /// <summary>
    /// The checkpoint: its path, which may have wildcards, or an object. Where something is piped, the first argument without a name is
    /// -DestinationPath.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = PathSet)]
    [Parameter(Position = 0, ParameterSetName = CheckpointSet)]
    [Parameter(Position = 0, ParameterSetName = ItemSet)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public CheckpointArgument[] Path { get; set; } = [];

    /// <summary>Where to write; it need not exist. A script block is evaluated for each checkpoint.</summary>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = PathSet)]
    [Parameter(Position = 1, ParameterSetName = CheckpointSet)]
    [Parameter(Position = 1, ParameterSetName = ItemSet)]
    [ValidateNotNull]
    public DestinationArgument? DestinationPath { get; set; }

    /// <summary>Checkpoints of any format, or their paths.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = CheckpointSet)]
    [ValidateNotNullOrEmpty]
    public CheckpointArgument[] Checkpoint { get; set; } = [];

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        WarnIfNothingWasPiped("write");
    }

    /// <summary>Does the work for each checkpoint and the address of its destination.</summary>
    private protected void PerCheckpoint(Action<LlamaCheckpoint, CheckpointAddress> work)
    {
        var destination = Destination;
        PerCheckpoint(ParameterSetName == PathSet ? Path : Checkpoint, checkpoint => work(checkpoint, Resolve(destination, checkpoint)));
    }

    /// <summary>Gets the address of the destination of what was piped.</summary>
    /// <exception cref="CheckpointException">It can't be one.</exception>
    private protected CheckpointAddress GetDestination(object item) => Resolve(Destination, item);

    private CheckpointAddress Resolve(DestinationArgument destination, object item) => ResolveDestination(destination.Get(item));

    private DestinationArgument Destination
    {
        get
        {
            if (ParameterSetName != PathSet && Path.Length > (DestinationPath is null ? 1 : 0))
            {
                this.RefuseTwoCheckpoints();
            }

            if (DestinationPath is null && Path.Length == 0)
            {
                ThrowTerminatingError(new ErrorRecord(
                    new PSArgumentException("There is no destination. Give one with -DestinationPath."),
                    "MissingMandatoryParameter",
                    ErrorCategory.InvalidArgument,
                    targetObject: null));
            }

            return DestinationPath ?? new DestinationArgument(Path[0].Given);
        }
    }
}
