using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Reads the index of a LLaMA in Hugging Face's format: config.json and safetensors files. Tensor data stays where it is.</summary>
[Cmdlet(VerbsCommunications.Read, "LlamaHuggingFaceCheckpoint", DefaultParameterSetName = "Path")]
[OutputType(typeof(LlamaHuggingFaceCheckpoint))]
public sealed class ReadLlamaHuggingFaceCheckpointCommand : ReadCommand
{
    private protected override LlamaCheckpoint Read(CheckpointAddress address) => LlamaHuggingFaceCheckpoint.Read(address, Stop);
}
