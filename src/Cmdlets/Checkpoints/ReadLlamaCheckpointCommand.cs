using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Reads the index of a LLaMA checkpoint, whichever format it has. Tensor data stays where it is.</summary>
[Cmdlet(VerbsCommunications.Read, "LlamaCheckpoint", DefaultParameterSetName = "Path")]
[OutputType(typeof(Fairseq2Checkpoint), typeof(LlamaReferenceCheckpoint), typeof(LlamaHuggingFaceCheckpoint))]
public sealed class ReadLlamaCheckpointCommand : ReadRunCommand
{
    private protected override LlamaCheckpoint Read(CheckpointAddress address, long? step, Action<string> log) =>
        CheckpointReader.Read(address, step, log, Stop);
}
