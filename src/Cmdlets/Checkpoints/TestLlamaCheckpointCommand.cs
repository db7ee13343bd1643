using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Tests whether a checkpoint can be exported, and lists everything that is noteworthy about it.</summary>
[Cmdlet(VerbsDiagnostic.Test, "LlamaCheckpoint", DefaultParameterSetName = CheckpointSet)]
[Alias("Test-Fairseq2Checkpoint")]
[OutputType(typeof(CheckpointTestResult), typeof(bool))]
public sealed class TestLlamaCheckpointCommand : ArchitectureCmdlet
{
    private const string CheckpointSet = "Checkpoint";
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";

    private StepSelection? _steps;

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

    /// <summary>Steps of a training run, by numbers or wildcards; the newest finished one when absent.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ValidateStep]
    [ArgumentCompleter(typeof(StepCompleter))]
    public string[]? Step { get; set; }

    /// <summary>All finished steps of a training run.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter AllSteps { get; set; }

    /// <summary>The format that it is going to be exported to. When absent, what would keep it from any of them is an error.</summary>
    [Parameter]
    [ValidateSet(nameof(CheckpointFormat.Fairseq2), nameof(CheckpointFormat.Reference), nameof(CheckpointFormat.HuggingFace), nameof(CheckpointFormat.Gguf))]
    public CheckpointFormat? For { get; set; }

    /// <summary>Reads all data, too: checksums, NaN and Inf, and whether copies in several files are the same.</summary>
    [Parameter]
    public SwitchParameter Deep { get; set; }

    /// <summary>Gets only true or false: whether nothing found is an error. A condition needs it, because an object is always true there.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _steps = this.SelectSteps(Step, AllSteps);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == CheckpointSet)
        {
            PerItem(() => Test(Checkpoint.Name, (options, progress) => CheckpointTest.Run(Checkpoint, options, progress, Stop)));
            return;
        }

        PerPath([.. Path, .. LiteralPath.Select(PathArgument.Literal)], TestPath);
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        WarnIfNothingWasPiped("test");
    }

    private void TestPath(CheckpointAddress address)
    {
        foreach (var step in _steps is null ? [(long?)null] : _steps.FindIn(address, error => WriteError(ErrorRecords.From(error)), WriteVerbose, WriteWarning, Stop).Select(step => (long?)step))
        {
            PerItem(() => Test(address.Text, (options, progress) => CheckpointTest.Run(address, new CheckpointReadOptions { Step = step, Log = WriteVerbose }, options, progress, Stop)));
        }
    }

    private void Test(string name, Func<CheckpointTestOptions, IProgress<ByteProgress>, CheckpointTestResult> test)
    {
        using var progress = new ProgressBar(this, $"Testing {name}");
        var result = test(new CheckpointTestOptions { Architecture = NamedArchitecture, For = For, Deep = Deep }, progress);

        WriteObject(Quiet ? result.Passed : result);
    }
}
