using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Compares two checkpoints of any formats tensor by tensor, bit for bit or within a tolerance.</summary>
[Cmdlet(VerbsData.Compare, "LlamaCheckpoint")]
[OutputType(typeof(TensorComparison))]
public sealed class CompareLlamaCheckpointCommand : CheckpointCmdlet
{
    /// <summary>The checkpoint to compare with.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNull]
    public LlamaCheckpoint Reference { get; set; } = null!;

    /// <summary>The checkpoint to compare.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    [ValidateNotNull]
    public LlamaCheckpoint Difference { get; set; } = null!;

    /// <summary>
    /// The distance of two numbers up to which they count as equal, whatever their types. Bits are compared when absent; with 0 numbers are, for
    /// how far they are from each other.
    /// </summary>
    [Parameter]
    [ValidateRange(0, double.MaxValue)]
    public double? Tolerance { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerItem(() =>
    {
        using var progress = new ProgressBar(this, $"Comparing {Reference.Name} with {Difference.Name}");
        using var comparison = new CheckpointComparison(Reference, Difference, Tolerance, progress, Stop);

        foreach (var pair in comparison.Pairs)
        {
            PerItem(() => WriteObject(comparison.Compare(pair)));
        }
    });
}
