using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Compares two checkpoints of any formats, bit for bit or within a tolerance: tensor by tensor, or in a summary.</summary>
[Cmdlet(VerbsData.Compare, "LlamaCheckpoint", DefaultParameterSetName = TensorsSet)]
[OutputType(typeof(TensorComparison), ParameterSetName = [TensorsSet])]
[OutputType(typeof(CheckpointComparisonSummary), ParameterSetName = [SummarySet])]
public sealed class CompareLlamaCheckpointCommand : StoreCmdlet
{
    private const string TensorsSet = "Tensors";
    private const string SummarySet = "Summary";

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

    /// <summary>
    /// Gives one object for both checkpoints: how many tensors are equal, how far the others are from each other, and which layers moved. Distances
    /// are measured without a tolerance, too.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = SummarySet)]
    public SwitchParameter Summary { get; set; }

    /// <summary>Omits equal tensors. If all are equal, the host says so.</summary>
    [Parameter(ParameterSetName = TensorsSet)]
    public SwitchParameter DifferentOnly { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing() => _reference = FromArgument(() => Get(Reference));

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerCheckpoint(Difference, Compare);

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        WarnIfNothingWasPiped("compare");
    }

    private void Compare(LlamaCheckpoint difference)
    {
        using var progress = new ProgressBar(this, $"Comparing {_reference.Name} with {difference.Name}");
        using var comparison = new CheckpointComparison(_reference, difference, Tolerance, progress, Stop) { MeasuresDistances = Summary };
        var compared = new List<TensorComparison>();

        foreach (var pair in comparison.Pairs)
        {
            PerItem(() =>
            {
                var tensor = comparison.Compare(pair);
                compared.Add(tensor);

                if (!Summary && (!DifferentOnly || tensor.Result != ComparisonResult.Equal))
                {
                    WriteObject(tensor);
                }
            });
        }

        Conclude(comparison.Summarize(compared));
    }

    private void Conclude(CheckpointComparisonSummary summary)
    {
        if (Summary)
        {
            WriteObject(summary);
        }
        else if (DifferentOnly && summary.AreEqual)
        {
            // As Write-Host does: an empty output could also mean that nothing was compared.
            WriteInformation(new HostInformationMessage { Message = Display.Text($"{summary}.") }, ["PSHOST"]);
        }
        else
        {
            WriteVerbose($"{summary}.");
        }
    }
}
