using System.Collections.Immutable;
using Fairseq2Llama.Conversion;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Statistics;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>Measures the numbers of tensors, a few MB at a time.</summary>
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
        var moments = TensorMoments.None;

        Read(chunk => moments = moments.Merge(math.Measure(tensor.DType, chunk)));

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
            Histogram = moments.Count > 0 ? CountBins() : [],
        };

        ImmutableArray<HistogramBin> CountBins()
        {
            var counts = new long[binCount];

            // As torch.histc does where all numbers are the same.
            var (min, max) = moments.Min < moments.Max ? (moments.Min, moments.Max) : (moments.Min - 1, moments.Max + 1);
            var width = (max - min) / binCount;

            if (binCount > 0)
            {
                Read(chunk => math.CountBins(tensor.DType, chunk, min, max, counts));
            }

            return [.. counts.Select((count, bin) => new HistogramBin(min + (bin * width), bin == binCount - 1 ? max : min + ((bin + 1) * width), count))];
        }

        void Read(ChunkSink take) => data.Copier.Copy(tensor.ToStorage(), chunk =>
        {
            take(chunk);
            done += chunk.Length;
            progress?.Report(new ByteProgress(tensor.Name, done, total));
        });
    }
}
