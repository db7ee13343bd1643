using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Makes TorchSharp tensors from tensors of a checkpoint. They belong to the caller, who may dispose of them.</summary>
[Cmdlet(VerbsData.ConvertTo, "TorchTensor")]
[OutputType("TorchSharp.torch+Tensor")]
public sealed class ConvertToTorchTensorCommand : CheckpointCmdlet
{
    /// <summary>The tensors.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public CheckpointTensor[] Tensor { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var tensor in Tensor)
        {
            PerItem(() => Convert(tensor));
        }
    }

    private void Convert(CheckpointTensor tensor)
    {
        using var progress = new ProgressBar(this, $"Reading {tensor.Name}");
        WriteObject(TorchTensorConversion.ToTorchTensor(tensor, progress, Stop));
    }
}
