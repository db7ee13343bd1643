using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Fairseq2Llama.Dependencies;

namespace Fairseq2Llama.Adapters;

/// <summary>Sums up a block.</summary>
internal static class BlockMoments
{
    /// <param name="numbers">A block at most; changed where some are not finite.</param>
    public static TensorMoments Of(Span<double> numbers)
    {
        var moments = OfFinite(numbers);

        // What is not finite makes the sum so, and mostly nothing is.
        if (double.IsFinite(moments.Mean))
        {
            return moments;
        }

        var (finite, nans, infinities) = MoveFiniteToFront(numbers);
        return OfFinite(numbers[..finite]) with { NaNs = nans, Infinities = infinities };
    }

    /// <summary>
    /// The same of bfloat16, as nearly all weights are, straight from their patterns: to store them as float64 would take longer than all else.
    /// </summary>
    /// <param name="patterns">A block at most.</param>
    /// <param name="numbers">Room for as many numbers, which are stored only where one look at them is not enough.</param>
    public static TensorMoments OfBFloat16(ReadOnlySpan<short> patterns, Span<double> numbers)
    {
        var vectors = MemoryMarshal.Cast<short, Vector256<short>>(patterns);
        var (sum1, sum2, sum3, sum4) = (Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero);
        var (squares1, squares2, squares3, squares4) = (Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero);
        var (minLanes, maxLanes) = (Vector256.Create(short.MaxValue), Vector256.Create(short.MinValue));
        var zeroLanes = Vector256<short>.Zero;

        foreach (var vector in vectors)
        {
            var (one, two, three, four) = NumberBlock.WidenBFloat16(vector.AsUInt16());
            sum1 += one;
            sum2 += two;
            sum3 += three;
            sum4 += four;
            squares1 = Lanes.AddExactSquares(squares1, one);
            squares2 = Lanes.AddExactSquares(squares2, two);
            squares3 = Lanes.AddExactSquares(squares3, three);
            squares4 = Lanes.AddExactSquares(squares4, four);

            var ordered = vector ^ ((vector >> 15) & Vector256.Create(short.MaxValue));
            minLanes = Vector256.Min(minLanes, ordered);
            maxLanes = Vector256.Max(maxLanes, ordered);
            zeroLanes -= Vector256.Equals(vector << 1, Vector256<short>.Zero);
        }

        var sum = Lanes.Sum((sum1 + sum2) + (sum3 + sum4));
        var squares = Lanes.Sum((squares1 + squares2) + (squares3 + squares4));
        var (min, max, zeros) = (short.MaxValue, short.MinValue, 0);

        for (var lane = 0; lane < Vector256<short>.Count; lane++)
        {
            (min, max) = (Math.Min(min, minLanes[lane]), Math.Max(max, maxLanes[lane]));
            zeros += zeroLanes[lane];
        }

        foreach (var pattern in patterns[(vectors.Length * Vector256<short>.Count)..])
        {
            var number = ToFloat64(pattern);
            sum += number;
            squares += number * number;
            (min, max) = (Math.Min(min, Order(pattern)), Math.Max(max, Order(pattern)));
            zeros += number == 0 ? 1 : 0;
        }

        if (SumUp(patterns.Length, ToFloat64(Order(min)), ToFloat64(Order(max)), sum, squares, zeros) is { } moments)
        {
            return moments;
        }

        NumberBlock.ToFloat64(DType.BFloat16, MemoryMarshal.AsBytes(patterns), numbers);
        return Of(numbers);
    }

    private static TensorMoments OfFinite(ReadOnlySpan<double> numbers)
    {
        if (numbers.IsEmpty)
        {
            return TensorMoments.None;
        }

        var vectors = MemoryMarshal.Cast<double, Vector256<double>>(numbers);
        var (evenSum, oddSum) = (Vector256<double>.Zero, Vector256<double>.Zero);
        var (evenSquares, oddSquares) = (Vector256<double>.Zero, Vector256<double>.Zero);
        var (evenMin, oddMin) = (Vector256.Create(double.PositiveInfinity), Vector256.Create(double.PositiveInfinity));
        var (evenMax, oddMax) = (Vector256.Create(double.NegativeInfinity), Vector256.Create(double.NegativeInfinity));
        var (evenZeros, oddZeros) = (Vector256<long>.Zero, Vector256<long>.Zero);
        var i = 0;

        for (; i < vectors.Length - 1; i += 2)
        {
            var (even, odd) = (vectors[i], vectors[i + 1]);
            evenSum += even;
            oddSum += odd;
            evenSquares += even * even;
            oddSquares += odd * odd;
            evenMin = Lanes.Min(evenMin, even);
            oddMin = Lanes.Min(oddMin, odd);
            evenMax = Lanes.Max(evenMax, even);
            oddMax = Lanes.Max(oddMax, odd);
            evenZeros -= Vector256.Equals(even, Vector256<double>.Zero).AsInt64();
            oddZeros -= Vector256.Equals(odd, Vector256<double>.Zero).AsInt64();
        }

        var (sum, squares) = (Lanes.Sum(evenSum + oddSum), Lanes.Sum(evenSquares + oddSquares));
        var (minLanes, maxLanes) = (Lanes.Min(evenMin, oddMin), Lanes.Max(evenMax, oddMax));
        var (min, max) = (double.PositiveInfinity, double.NegativeInfinity);
        var zeros = Vector256.Sum(evenZeros + oddZeros);

        for (var lane = 0; lane < Vector256<double>.Count; lane++)
        {
            (min, max) = (Math.Min(min, minLanes[lane]), Math.Max(max, maxLanes[lane]));
        }

        foreach (var number in numbers[(i * Vector256<double>.Count)..])
        {
            sum += number;
            squares += number * number;
            (min, max) = (Math.Min(min, number), Math.Max(max, number));
            zeros += number == 0 ? 1 : 0;
        }

        if (SumUp(numbers.Length, min, max, sum, squares, zeros) is { } moments)
        {
            return moments;
        }

        var mean = sum / numbers.Length;
        var deviations = Lanes.SumOfSquares(numbers, mean);
        return new TensorMoments(numbers.Length, min + 0d, max + 0d, mean, deviations, deviations + (mean * mean * numbers.Length), zeros, 0, 0);
    }

    /// <summary>
    /// Null where the mean is too far from zero, which that of weights is not: the squares of deviations are what the sum of squares has beyond the
    /// mean's share, but of a small difference of large numbers the digits are lost. Also where some number, or the sum of squares, is not finite.
    /// </summary>
    private static TensorMoments? SumUp(int count, double min, double max, double sum, double squares, long zeros)
    {
        var mean = sum / count;
        var deviations = squares - (mean * sum);

        // Of zeros it does not matter which sign the least has.
        return deviations > squares / 2 ? new TensorMoments(count, min + 0d, max + 0d, mean, deviations, squares, zeros, 0, 0) : null;
    }

    /// <summary>Makes patterns compare like their numbers, and what it has made so into patterns again.</summary>
    private static short Order(short pattern) => (short)(pattern ^ ((pattern >> 15) & short.MaxValue));

    private static double ToFloat64(short pattern) => BitConverter.Int32BitsToSingle(pattern << 16);

    private static (int Finite, long NaNs, long Infinities) MoveFiniteToFront(Span<double> numbers)
    {
        var (finite, nans) = (0, 0L);

        foreach (var number in numbers)
        {
            if (double.IsFinite(number))
            {
                numbers[finite++] = number;
            }
            else
            {
                nans += double.IsNaN(number) ? 1 : 0;
            }
        }

        return (finite, nans, numbers.Length - finite - nans);
    }
}
