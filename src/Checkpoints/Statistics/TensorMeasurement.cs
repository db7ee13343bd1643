using System.Collections.Immutable;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Reading;
using Fairseq2Llama.Statistics;

namespace Fairseq2Llama;

/// <summary>Measures the numbers of tensors, some MB at a time.</summary>
public static class TensorMeasurement
{
    /// <summary>Reads a tensor once; with a histogram, whose range is known only then, twice.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="binCount">How many bins the histogram has; 0 for none.</param>
    /// <param name="progress">Told how far it is, on the calling thread.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">libtorch can't be loaded, or the tensor can't be read, or is damaged.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static TensorStatistics Run(
        CheckpointTensor tensor, int binCount = 0, IProgress<ByteProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var math = TensorMath.Get();
        using var data = new TensorData([tensor], cancellationToken);
        var (done, total) = (0L, tensor.SizeInBytes * (binCount > 0 ? 2 : 1));
        var reader = new WindowReader(data, count => progress?.Report(new ByteProgress(tensor.Name, done += count, total)));

        var moments = Measure(reader, math, tensor);
        var histogram = binCount > 0 && moments.Count > 0 ? CountBins(reader, math, tensor, moments, binCount) : [];

        return new TensorStatistics
        {
            Name = tensor.Name,
            Layer = tensor.Layer,
            DType = tensor.DType,
            Shape = tensor.Shape,
            Count = moments.Count + moments.NaNs + moments.Infinities,
            Min = moments.Count > 0 ? moments.Min : null,
            Max = moments.Count > 0 ? moments.Max : null,
            Mean = moments.Count > 0 ? moments.Mean : null,
            StandardDeviation = moments.Count > 1 ? Math.Sqrt(moments.SquaredDeviations / (moments.Count - 1)) : null,
            L2Norm = Math.Sqrt(moments.Squares),
            Zeros = moments.Zeros,
            NaN = moments.NaNs,
            Inf = moments.Infinities,
            Histogram = histogram,
        };
    }

    private static TensorMoments Measure(WindowReader reader, ITensorMath math, CheckpointTensor tensor)
    {
        var pieces = new SortedDictionary<int, TensorMoments>();

        reader.ForEach(tensor, (index, numbers) =>
        {
            var moments = math.Measure(tensor.DType, numbers);

            lock (pieces)
            {
                pieces[index] = moments;
            }
        });

        // Always in the same order, or the last digits would differ from one time to the next.
        return pieces.Values.Aggregate(TensorMoments.None, (moments, piece) => moments.Merge(piece));
    }

    private static ImmutableArray<HistogramBin> CountBins(
        WindowReader reader, ITensorMath math, CheckpointTensor tensor, TensorMoments moments, int binCount)
    {
        var total = new long[binCount];

        // As torch.histc does where all numbers are the same.
        var (min, max) = moments.Min < moments.Max ? (moments.Min, moments.Max) : (moments.Min - 1, moments.Max + 1);

        reader.ForEach(tensor, (_, numbers) =>
        {
            var counts = new long[binCount];
            math.CountBins(tensor.DType, numbers, min, max, counts);

            lock (total)
            {
                for (var bin = 0; bin < binCount; bin++)
                {
                    total[bin] += counts[bin];
                }
            }
        });

        var width = (max - min) / binCount;
        return [.. total.Select((count, bin) => new HistogramBin(min + (bin * width), bin == binCount - 1 ? max : min + ((bin + 1) * width), count))];
    }
}
