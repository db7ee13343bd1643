using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tensors;
using static TorchSharp.torch;

namespace Fairseq2Llama.Torch;

/// <summary>Arithmetic by TorchSharp. The entry point that Fairseq2Llama.Checkpoints looks for by name.</summary>
/// <remarks>
/// Never hand TorchSharp a number where it takes a Scalar, not even by <c>square()</c>, which is <c>pow(2)</c>: it passes on the address of a native
/// copy that the garbage collector may free at that very moment (seen with 0.107.0: "INTERNAL ASSERT FAILED" in Scalar.h, once in some GB).
/// Tensors are safe, because the scope that they are made in holds them.
/// </remarks>
internal sealed class TorchMath : ITensorMath
{
    /// <summary>
    /// libtorch spreads work on 32768 and more elements over threads of OpenMP, which wait for each other without sleeping: on a machine with
    /// something else to do that takes a hundred times as long as one thread. Who wants several threads calls this from several. Pieces of
    /// this size also stay in the processor's cache from one operation to the next.
    /// </summary>
    private const int MaxPieceLength = (1 << 15) - 1;

    /// <exception cref="CheckpointException">libtorch can't be loaded.</exception>
    public TorchMath() => LibTorch.Load();

    /// <inheritdoc/>
    public TensorMoments Measure(DType dtype, ReadOnlySpan<byte> chunk)
    {
        var moments = TensorMoments.None;

        foreach (var (start, length) in PiecesOf(dtype, chunk))
        {
            using var scope = NewDisposeScope();
            moments = moments.Merge(Measure(ToFloat64(dtype, Piece(dtype, chunk, start, length))));
        }

        return moments;
    }

    /// <inheritdoc/>
    public void CountBins(DType dtype, ReadOnlySpan<byte> chunk, double min, double max, Span<long> bins)
    {
        foreach (var (start, length) in PiecesOf(dtype, chunk))
        {
            using var scope = NewDisposeScope();
            var numbers = ToFloat64(dtype, Piece(dtype, chunk, start, length));
            var finite = double.IsFinite(Sum(numbers)) ? numbers : numbers.masked_select(numbers.isfinite());
            var counts = histogram(finite, bins.Length, (min, max)).hist.data<double>();

            for (var bin = 0; bin < bins.Length; bin++)
            {
                bins[bin] += (long)counts[bin];
            }
        }
    }

    /// <inheritdoc/>
    public DifferenceSums Compare(DType referenceDType, ReadOnlySpan<byte> reference, DType differenceDType, ReadOnlySpan<byte> difference)
    {
        var sums = DifferenceSums.None;

        foreach (var (start, length) in PiecesOf(referenceDType, reference))
        {
            using var scope = NewDisposeScope();
            sums = sums.Merge(Compare(
                ToFloat64(referenceDType, Piece(referenceDType, reference, start, length)),
                ToFloat64(differenceDType, Piece(differenceDType, difference, start, length))));
        }

        return sums;
    }

    /// <inheritdoc/>
    public void Cast(DType from, ReadOnlySpan<byte> source, DType to, Span<byte> target)
    {
        foreach (var (start, length) in PiecesOf(from, source))
        {
            using var scope = NewDisposeScope();
            var numbers = ToTensor(from, Piece(from, source, start, length));

            // Between two types of 16 bits PyTorch goes the same way, but one number at a time.
            var widened = from.GetItemSize() == to.GetItemSize() ? numbers.to(ScalarType.Float32) : numbers;
            widened.to(to.ToScalarType()).bytes.CopyTo(target[(start * to.GetItemSize())..]);
        }
    }

    /// <inheritdoc/>
    public object CreateTensor(DType dtype, TensorShape shape, Action<ChunkSink> fill)
    {
        var tensor = LibTorchFailure.Translate(() => empty([.. shape.Sizes], dtype: dtype.ToScalarType()));

        try
        {
            using var flat = tensor.view(-1);
            var start = 0L;

            fill(chunk =>
            {
                // TorchSharp gives access to 2 GB at a time.
                using var part = flat.narrow(0, start, chunk.Length / dtype.GetItemSize());
                chunk.CopyTo(part.bytes);
                start += part.NumberOfElements;
            });

            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public object MapTensor(string path, long offset, TensorView tensor)
    {
        var first = (offset / tensor.DType.GetItemSize()) + tensor.StorageOffset;

        return LibTorchFailure.Translate(() =>
        {
            using var file = from_file(path, shared: false, size: first + tensor.Extent, dtype: tensor.DType.ToScalarType());
            return file.as_strided([.. tensor.Shape.Sizes], [.. tensor.Strides], first);
        });
    }

    private static TensorMoments Measure(Tensor numbers)
    {
        var (nans, infinities) = (0L, 0L);

        // One pass tells in nearly all cases that all are finite: the sum of anything else is not.
        if (!double.IsFinite(Sum(numbers)))
        {
            nans = CountNonZero(numbers.isnan());
            infinities = CountInfinities(numbers);
            numbers = numbers.masked_select(numbers.isfinite());
        }

        var count = numbers.NumberOfElements;

        if (count == 0)
        {
            return TensorMoments.None with { NaNs = nans, Infinities = infinities };
        }

        var (min, max) = numbers.aminmax();
        var mean = numbers.mean();

        return new TensorMoments(
            count,
            min.item<double>(),
            max.item<double>(),
            mean.item<double>(),
            SumOfSquares(numbers.sub(mean)),
            SumOfSquares(numbers),
            count - CountNonZero(numbers),
            nans,
            infinities);
    }

    private static DifferenceSums Compare(Tensor reference, Tensor difference)
    {
        var distance = reference.sub(difference).abs_();

        // Infinity less itself is NaN, and so is NaN less itself: what is the same is no distance.
        if (!double.IsFinite(Sum(distance)))
        {
            var same = reference.eq(difference).logical_or_(reference.isnan().logical_and_(difference.isnan()));
            distance = where(same, zeros_like(distance), distance).nan_to_num(double.PositiveInfinity, double.PositiveInfinity, double.PositiveInfinity);
        }

        return new DifferenceSums(
            reference.NumberOfElements,
            CountNonZero(distance),
            distance.max().item<double>(),
            Sum(distance),
            Sum(reference.mul(difference)),
            SumOfSquares(reference),
            SumOfSquares(difference));
    }

    private static IEnumerable<(int Start, int Length)> PiecesOf(DType dtype, ReadOnlySpan<byte> chunk) => Pieces(chunk.Length / dtype.GetItemSize());

    private static IEnumerable<(int Start, int Length)> Pieces(int count)
    {
        var pieces = (count + MaxPieceLength - 1) / MaxPieceLength;

        for (var piece = 0; piece < pieces; piece++)
        {
            var start = (int)((long)count * piece / pieces);
            yield return (start, (int)((long)count * (piece + 1) / pieces) - start);
        }
    }

    private static ReadOnlySpan<byte> Piece(DType dtype, ReadOnlySpan<byte> chunk, int start, int length) =>
        chunk.Slice(start * dtype.GetItemSize(), length * dtype.GetItemSize());

    private static Tensor ToTensor(DType dtype, ReadOnlySpan<byte> chunk)
    {
        var tensor = empty([chunk.Length / dtype.GetItemSize()], dtype: dtype.ToScalarType());
        chunk.CopyTo(tensor.bytes);
        return tensor;
    }

    private static Tensor ToFloat64(DType dtype, ReadOnlySpan<byte> chunk)
    {
        var tensor = ToTensor(dtype, chunk);
        return (tensor.is_complex() ? view_as_real(tensor).flatten() : tensor).to(ScalarType.Float64);
    }

    private static double Sum(Tensor numbers) => numbers.sum().item<double>();

    private static double SumOfSquares(Tensor numbers) => Sum(numbers.mul(numbers));

    private static long CountNonZero(Tensor numbers) => numbers.count_nonzero().item<long>();

    private static long CountInfinities(Tensor numbers) => CountNonZero(numbers.isinf());
}
