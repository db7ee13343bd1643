using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Reads the index of a LLaMA in Meta's reference format: consolidated.NN.pth and params.json. Tensor data stays where it is.</summary>
[Cmdlet(VerbsCommunications.Read, "LlamaReferenceCheckpoint", DefaultParameterSetName = "Path")]
[OutputType(typeof(LlamaReferenceCheckpoint))]
public sealed class ReadLlamaReferenceCheckpointCommand : ReadCommand
{
    private protected override LlamaCheckpoint Read(CheckpointAddress address) => LlamaReferenceCheckpoint.Read(address, Stop);
}
