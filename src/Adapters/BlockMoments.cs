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

    private static TensorMoments OfFinite(ReadOnlySpan<double> numbers)
    {
        if (numbers.IsEmpty)
        {
            return TensorMoments.None;
        }

        var vectors = MemoryMarshal.Cast<double, Vector256<double>>(numbers);
        var (evenSum, oddSum) = (Vector256<double>.Zero, Vector256<double>.Zero);
        var (evenMin, oddMin) = (Vector256.Create(double.PositiveInfinity), Vector256.Create(double.PositiveInfinity));
        var (evenMax, oddMax) = (Vector256.Create(double.NegativeInfinity), Vector256.Create(double.NegativeInfinity));
        var (evenZeros, oddZeros) = (Vector256<long>.Zero, Vector256<long>.Zero);
        var i = 0;

        for (; i < vectors.Length - 1; i += 2)
        {
            var (even, odd) = (vectors[i], vectors[i + 1]);
            evenSum += even;
            oddSum += odd;
            evenMin = Lanes.Min(evenMin, even);
            oddMin = Lanes.Min(oddMin, odd);
            evenMax = Lanes.Max(evenMax, even);
            oddMax = Lanes.Max(oddMax, odd);
            evenZeros -= Vector256.Equals(even, Vector256<double>.Zero).AsInt64();
            oddZeros -= Vector256.Equals(odd, Vector256<double>.Zero).AsInt64();
        }

        var sum = Lanes.Sum(evenSum + oddSum);
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
            (min, max) = (Math.Min(min, number), Math.Max(max, number));
            zeros += number == 0 ? 1 : 0;
        }

        var mean = sum / numbers.Length;
        var deviations = Lanes.SumOfSquares(numbers, mean);

        // Both are positive, so nothing is lost, and the numbers need not be looked at again. Of zeros it does not matter which sign the least has.
        return new TensorMoments(numbers.Length, min + 0d, max + 0d, mean, deviations, deviations + (mean * mean * numbers.Length), zeros, 0, 0);
    }

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
