using System.Collections.Immutable;
using Fairseq2Llama.Testing;

namespace Fairseq2Llama.Reports;

/// <summary>Measures all tensors of a checkpoint.</summary>
/// <param name="Tensors">What they are like; those that can't be read are absent.</param>
/// <param name="Findings">What was found wrong with their data.</param>
internal sealed record WeightMeasurement(
    ImmutableArray<(CheckpointTensor Tensor, TensorStatistics Statistics)> Tensors, ImmutableArray<CheckpointFinding> Findings)
{
    private const int BinCount = 16;

    /// <summary>Each tensor is read once for its range and once for its histogram.</summary>
    private const int Passes = 2;

    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static WeightMeasurement Of(LlamaCheckpoint checkpoint, IProgress<ByteProgress>? progress, CancellationToken cancellationToken)
    {
        var measured = ImmutableArray.CreateBuilder<(CheckpointTensor, TensorStatistics)>();
        var findings = ImmutableArray.CreateBuilder<CheckpointFinding>();
        var (done, total) = (0L, checkpoint.Tensors.Sum(tensor => tensor.SizeInBytes) * Passes);

        using var measurement = new TensorMeasurement(BinCount, cancellationToken);

        foreach (var tensor in checkpoint.Tensors)
        {
            cancellationToken.ThrowIfCancellationRequested();

            try
            {
                var statistics = measurement.Measure(tensor, progress is null ? null : new Shifted(progress, done, total));
                measured.Add((tensor, statistics));

                if (NonFiniteFinding.Of(tensor.Name, tensor.DType, statistics.Count, statistics.NaN, statistics.Inf) is { } finding)
                {
                    findings.Add(finding);
                }
            }
            catch (CheckpointException e)
            {
                findings.AddRange(e.Findings.Select(finding => finding with { Tensor = tensor.Name }));
            }

            done += tensor.SizeInBytes * Passes;
        }

        return new WeightMeasurement(measured.ToImmutable(), findings.ToImmutable());
    }

    /// <summary>What a tensor reports of itself is a part of all.</summary>
    private sealed class Shifted(IProgress<ByteProgress> progress, long before, long total) : IProgress<ByteProgress>
    {
        public void Report(ByteProgress value) => progress.Report(new ByteProgress(value.File, before + value.BytesDone, total));
    }
}
