using System.Collections.Immutable;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Reading;

namespace Fairseq2Llama;

/// <summary>Measures the numbers of tensors, some MB at a time. It holds the files open that it has read from, and serves any number of tensors.</summary>
/// <param name="binCount">How many bins the histograms have; 0 for none.</param>
/// <param name="cancellationToken">Stops it.</param>
public sealed class TensorMeasurement(int binCount = 0, CancellationToken cancellationToken = default) : IDisposable
{
    private readonly TensorData _data = new([], cancellationToken);

    /// <summary>Reads a tensor once; with a histogram, whose range is known only then, twice.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="progress">Told how far it is, on the calling thread.</param>
    /// <exception cref="CheckpointException">The tensor can't be read, or is damaged.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public TensorStatistics Measure(CheckpointTensor tensor, IProgress<ByteProgress>? progress = null)
    {
        _data.Include([tensor]);

        var (done, total) = (0L, tensor.SizeInBytes * (binCount > 0 ? 2 : 1));
        var reader = new WindowReader(_data, count => progress?.Report(new ByteProgress(tensor.Name, done += count, total)));

        var moments = reader.Map(tensor, numbers => ThirdParty.TensorMath.Measure(tensor.NumberDType, numbers)).Aggregate(TensorMoments.None, (sum, window) => sum.Merge(window));
        var deviation = Math.Sqrt(moments.SquaredDeviations / (moments.Count - 1));

        return new TensorStatistics
        {
            Name = tensor.Name,
            Checkpoint = tensor.Checkpoint,
            Layer = tensor.Layer,
            DType = tensor.DType,
            Shape = tensor.Shape,
            Count = moments.Count + moments.NaNs + moments.Infinities,
            Min = moments.Count > 0 ? moments.Min : null,
            Max = moments.Count > 0 ? moments.Max : null,
            Mean = moments.Count > 0 && double.IsFinite(moments.Mean) ? moments.Mean : null,
            Std = moments.Count > 1 && double.IsFinite(deviation) ? deviation : null,
            Norm = Math.Sqrt(moments.Squares),
            Zeros = moments.Zeros,
            NaN = moments.NaNs,
            Inf = moments.Infinities,
            Histogram = binCount > 0 && moments.Count > 0 && double.IsFinite(moments.Max - moments.Min) ? CountBins(reader, tensor, moments) : [],
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _data.Dispose();

    private ImmutableArray<HistogramBin> CountBins(WindowReader reader, CheckpointTensor tensor, TensorMoments moments)
    {
        var total = new long[binCount];

        // Where all numbers are the same torch.histc takes 1 on either side, and refuses those to which that makes no difference.
        var slack = moments.Min < moments.Max ? 0 : Math.Max(1, Math.Abs(moments.Min) * 1e-9);
        var (min, max) = (moments.Min - slack, moments.Max + slack);

        reader.Map(tensor, numbers =>
        {
            var counts = new long[binCount];
            ThirdParty.TensorMath.CountBins(tensor.NumberDType, numbers, min, max, counts);

            // Counts can be added in any order, and only one list of them is kept.
            lock (total)
            {
                for (var bin = 0; bin < binCount; bin++)
                {
                    total[bin] += counts[bin];
                }
            }

            return binCount;
        });

        var width = (max - min) / binCount;
        return [.. total.Select((count, bin) => new HistogramBin(min + (bin * width), bin == binCount - 1 ? max : min + ((bin + 1) * width), count))];
    }
}
