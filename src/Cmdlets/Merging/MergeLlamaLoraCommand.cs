using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Merges a LoRA into a checkpoint: PEFT's adapters, and those of fairseq2.</summary>
[Cmdlet(VerbsData.Merge, "LlamaLora")]
[OutputType(typeof(MergedCheckpoint))]
public sealed class MergeLlamaLoraCommand : StoreCmdlet
{
    /// <summary>The folder that PEFT saved, or a checkpoint with fairseq2's lora_A and lora_B. When absent, the checkpoint itself has them.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? AdapterPath { get; set; }

    /// <summary>The base model, of any format, or its path; or a fairseq2 checkpoint that has a LoRA in it.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    [Alias("Path")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public CheckpointArgument[] Checkpoint { get; set; } = [];

    /// <summary>The alpha that a LoRA of fairseq2 was trained with, which is in no file.</summary>
    [Parameter]
    [ValidateRange(double.Epsilon, double.MaxValue)]
    public double? Alpha { get; set; }

    /// <summary>The name of the merged checkpoint; that of the base model with -merged behind it when absent.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() =>
        PerCheckpoint(Checkpoint, checkpoint => WriteMerged(LoraMerge.Of(checkpoint, AdapterPath is null ? null : ResolveAdapter(AdapterPath), Alpha, Name, Stop)));

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        WarnIfNothingWasPiped("merge");
    }
}
