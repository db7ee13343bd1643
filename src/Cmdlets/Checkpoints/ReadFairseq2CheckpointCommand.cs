using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Reads the index of a LLaMA checkpoint that fairseq2 saved. Tensor data stays where it is.</summary>
[Cmdlet(VerbsCommunications.Read, "Fairseq2Checkpoint", DefaultParameterSetName = "Path")]
[OutputType(typeof(Fairseq2Checkpoint))]
public sealed class ReadFairseq2CheckpointCommand : ReadCommand
{
    /// <summary>The step of a training run; the newest finished one when absent.</summary>
    [Parameter]
    [ValidateRange(0, long.MaxValue)]
    [ArgumentCompleter(typeof(StepCompleter))]
    public long? Step { get; set; }

    private protected override LlamaCheckpoint Read(string path) => Fairseq2Checkpoint.Read(path, Step, WriteVerbose, Stop);
}
