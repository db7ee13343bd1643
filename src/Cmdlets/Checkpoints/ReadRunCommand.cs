using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that reads the index of checkpoints, some of which may be training runs with several steps.</summary>
public abstract class ReadRunCommand : ReadCommand
{
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    private StepSelection? _steps;

    /// <summary>Steps of a training run, by numbers or wildcards; the newest finished one when absent.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ValidateStep]
    [ArgumentCompleter(typeof(StepCompleter))]
    public string[]? Step { get; set; }

    /// <summary>All finished steps of a training run.</summary>
    [Parameter]
    public SwitchParameter AllSteps { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing() => _steps = this.SelectSteps(Step, AllSteps);

    /// <inheritdoc/>
    protected sealed override void ProcessPath(CheckpointAddress address)
    {
        if (_steps is null)
        {
            base.ProcessPath(address);
            return;
        }

        foreach (var step in _steps.FindIn(address, error => WriteError(ErrorRecords.From(error)), WriteVerboseOnce, WriteWarning, Stop))
        {
            PerItem(() => WriteObject(Read(address, run => Read(run, step, WriteVerboseOnce))));
        }
    }

    private protected sealed override LlamaCheckpoint Read(CheckpointAddress address) => Read(address, null, WriteVerbose);

    /// <summary>Reads one.</summary>
    /// <param name="address">Where it is.</param>
    /// <param name="step">The step of a training run; null for the newest one that is finished.</param>
    /// <param name="log">Told what is skipped.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read.</exception>
    private protected abstract LlamaCheckpoint Read(CheckpointAddress address, long? step, Action<string> log);

    /// <summary>Each step that is read gives the same messages about its run.</summary>
    private void WriteVerboseOnce(string text)
    {
        if (_told.Add(text))
        {
            WriteVerbose(text);
        }
    }
}
