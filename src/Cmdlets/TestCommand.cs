using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that tests checkpoints: objects, or what lies at paths, be it readable or not.</summary>
public abstract class TestCommand : ArchitectureCmdlet
{
    private protected const string CheckpointSet = "Checkpoint";
    private protected const string PathSet = "Path";
    private protected const string LiteralPathSet = "LiteralPath";

    private protected TestCommand()
    {
    }

    /// <summary>The checkpoint, of any format.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = CheckpointSet)]
    public LlamaCheckpoint Checkpoint { get; set; } = null!;

    /// <summary>Paths of checkpoints, which may have wildcards, or files in stores, as Get-AzStorageBlob and Get-S3Object list them. A checkpoint that can't be read has a finding.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [SupportsWildcards]
    [PathTransformation]
    [ValidateNotNullOrEmpty]
    public PathArgument[] Path { get; set; } = [];

    /// <summary>Paths that are taken as they are.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>Gets only true or false: whether nothing found is an error. A condition needs it, because an object is always true there.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected sealed override void ProcessRecord()
    {
        if (ParameterSetName == CheckpointSet)
        {
            PerItem(() => Test(Checkpoint));
            return;
        }

        PerPath([.. Path, .. LiteralPath.Select(PathArgument.Literal)], Test);
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        WarnIfNothingWasPiped("test");
    }

    /// <summary>Tests a checkpoint.</summary>
    private protected abstract void Test(LlamaCheckpoint checkpoint);

    /// <summary>Tests what lies at an address.</summary>
    private protected abstract void Test(CheckpointAddress address);
}
