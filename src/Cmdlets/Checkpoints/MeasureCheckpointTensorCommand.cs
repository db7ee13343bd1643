using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Measures the numbers of tensors: range, mean, deviation, norm, zeros, NaN and Inf.</summary>
[Cmdlet(VerbsDiagnostic.Measure, "CheckpointTensor", DefaultParameterSetName = TensorSet)]
[OutputType(typeof(TensorStatistics))]
public sealed class MeasureCheckpointTensorCommand : StoreCmdlet, IDisposable
{
    private const string TensorSet = "Tensor";
    private const string CheckpointSet = "Checkpoint";

    private TensorMeasurement? _measurement;

    /// <summary>The tensors.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = TensorSet)]
    [ValidateNotNullOrEmpty]
    public CheckpointTensor[] Tensor { get; set; } = [];

    /// <summary>Checkpoints, or paths of checkpoints, all of whose tensors are measured.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = CheckpointSet)]
    [Alias("Path")]
    [ValidateNotNullOrEmpty]
    public CheckpointArgument[] Checkpoint { get; set; } = [];

    /// <summary>Counts, too, how many numbers fall into each of so many bins between the smallest and the largest; every tensor is read twice then.</summary>
    [Parameter]
    [ValidateRange(1, 10_000)]
    public int? Histogram { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing() => _measurement = new TensorMeasurement(Histogram ?? 0, Stop);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        Measure(Tensor);
        PerCheckpoint(Checkpoint, checkpoint => Measure(checkpoint.Tensors));
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        WarnIfNothingWasPiped("measure");
    }

    /// <inheritdoc/>
    public void Dispose() => _measurement?.Dispose();

    private void Measure(IEnumerable<CheckpointTensor> tensors)
    {
        foreach (var tensor in tensors)
        {
            PerItem(() =>
            {
                using var progress = new ProgressBar(this, $"Measuring {tensor.Name}");
                WriteObject(_measurement!.Measure(tensor, progress));
            });
        }
    }
}
