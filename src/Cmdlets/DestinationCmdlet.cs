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
    private protected const string TensorSet = "Tensor";

    private bool _hasInput;

    /// <summary>
    /// The checkpoint: its path, which may have wildcards, or an object. Where checkpoints or tensors are piped, the first argument without a name is
    /// -DestinationPath.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = PathSet)]
    [Parameter(Position = 0, ParameterSetName = CheckpointSet)]
    [Parameter(Position = 0, ParameterSetName = TensorSet)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public CheckpointArgument[] Path { get; set; } = [];

    /// <summary>Where to write; it need not exist. A script block is evaluated for each checkpoint.</summary>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = PathSet)]
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true, ParameterSetName = CheckpointSet)]
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true, ParameterSetName = TensorSet)]
    [ValidateNotNullOrEmpty]
    public string? DestinationPath { get; set; }

    /// <summary>Checkpoints of any format, or their paths.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = CheckpointSet)]
    [ValidateNotNullOrEmpty]
    public CheckpointArgument[] Checkpoint { get; set; } = [];

    /// <summary>Says so where nothing was piped to the command, which else would end without a word.</summary>
    protected override void EndProcessing()
    {
        if (MyInvocation.ExpectingInput && !_hasInput)
        {
            WriteWarning("There was nothing to write, because nothing was piped to the command.");
        }
    }

    /// <summary>Does the work for each checkpoint and the absolute path of its destination.</summary>
    private protected void PerCheckpoint(Action<LlamaCheckpoint, string> work)
    {
        foreach (var argument in ParameterSetName == PathSet ? Path : Checkpoint)
        {
            PerItem(() =>
            {
                var destination = GetDestination(argument.Given);
                PerCheckpoint([argument], checkpoint => work(checkpoint, destination));
            });
        }
    }

    /// <summary>Gets the absolute path of the destination.</summary>
    /// <param name="item">What a script block finds in <c>$_</c>.</param>
    /// <exception cref="CheckpointException">It can't be one.</exception>
    private protected string GetDestination(object item)
    {
        _hasInput = true;

        if (ParameterSetName != PathSet && Path.Length > (DestinationPath is null ? 1 : 0))
        {
            this.RefuseTwoCheckpoints();
        }

        if (DestinationPath is null && Path.Length == 0)
        {
            ThrowTerminatingError(new ErrorRecord(
                new PSArgumentException("There is nothing that says where to write. Give -DestinationPath."),
                "MissingMandatoryParameter",
                ErrorCategory.InvalidArgument,
                targetObject: null));
        }

        return this.ResolveDestination(DestinationPath ?? (Path[0].Given is ScriptBlock script ? Evaluate(script, item) : Path[0].Path));
    }

    /// <summary>As PowerShell does for -DestinationPath where it is given by name.</summary>
    private static string Evaluate(ScriptBlock script, object item)
    {
        try
        {
            return script.InvokeWithContext(null, [new PSVariable("_", item)]) is [{ } only] && only.ToString() is { Length: > 0 } path
                ? path
                : throw new CheckpointException(CheckpointErrorCode.WriteFailed, "The script block for -DestinationPath has not returned one path.", script.ToString());
        }
        catch (RuntimeException e) when (e is not PipelineStoppedException)
        {
            throw new CheckpointException(CheckpointErrorCode.WriteFailed, $"The script block for -DestinationPath has failed: {e.Message}", script.ToString(), e);
        }
    }
}
