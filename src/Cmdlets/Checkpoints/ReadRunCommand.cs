using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that reads the index of checkpoints, some of which may be training runs with several steps.</summary>
public abstract class ReadRunCommand : ReadCommand
{
    /// <summary>The step of a training run; the newest finished one when absent.</summary>
    [Parameter]
    [ValidateRange(0, long.MaxValue)]
    [ArgumentCompleter(typeof(StepCompleter))]
    public long? Step { get; set; }
}
