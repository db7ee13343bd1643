using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Tests whether a checkpoint can be exported, and lists everything that is noteworthy about it.</summary>
[Cmdlet(VerbsDiagnostic.Test, "LlamaCheckpoint", DefaultParameterSetName = CheckpointSet)]
[Alias("Test-Fairseq2Checkpoint")]
[OutputType(typeof(CheckpointTestResult), typeof(bool))]
public sealed class TestLlamaCheckpointCommand : TestCommand
{
    private StepSelection? _steps;

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

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _steps = this.SelectSteps(Step, AllSteps);
    }

    private protected override void Test(LlamaCheckpoint checkpoint) =>
        Test(checkpoint.Name, (options, progress) => CheckpointTest.Run(checkpoint, options, progress, Stop));

    private protected override void Test(CheckpointAddress address)
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
