using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Compares two checkpoints of any formats tensor by tensor, bit for bit or within a tolerance.</summary>
[Cmdlet(VerbsData.Compare, "LlamaCheckpoint")]
[OutputType(typeof(TensorComparison))]
public sealed class CompareLlamaCheckpointCommand : CheckpointCmdlet
{
    private LlamaCheckpoint _reference = null!;

    /// <summary>The checkpoint to compare with, or its path.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNull]
    public CheckpointArgument Reference { get; set; } = null!;

    /// <summary>The checkpoints to compare, or their paths.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public CheckpointArgument[] Difference { get; set; } = [];

    /// <summary>
    /// The distance of two numbers up to which they count as equal, whatever their types. Bits are compared when absent; with 0 numbers are, for
    /// how far they are from each other.
    /// </summary>
    [Parameter]
    [ValidateRange(0, double.MaxValue)]
    public double? Tolerance { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing() => _reference = FromArgument(() => Get(Reference));

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerCheckpoint(Difference, Compare);

    private void Compare(LlamaCheckpoint difference)
    {
        using var progress = new ProgressBar(this, $"Comparing {_reference.Name} with {difference.Name}");
        using var comparison = new CheckpointComparison(_reference, difference, Tolerance, progress, Stop);

        foreach (var pair in comparison.Pairs)
        {
            PerItem(() => WriteObject(comparison.Compare(pair)));
        }
    }
}
