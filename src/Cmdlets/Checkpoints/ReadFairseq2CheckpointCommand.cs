using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Reads the index of a LLaMA checkpoint that fairseq2 saved. Tensor data stays where it is.</summary>
[Cmdlet(VerbsCommunications.Read, "Fairseq2Checkpoint", DefaultParameterSetName = "Path")]
[OutputType(typeof(Fairseq2Checkpoint))]
public sealed class ReadFairseq2CheckpointCommand : ReadRunCommand
{
    private protected override LlamaCheckpoint Read(CheckpointAddress address, long? step, Action<string> log) =>
        Fairseq2Checkpoint.Read(address, step, log, Stop);
}
