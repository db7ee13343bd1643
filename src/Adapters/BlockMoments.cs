using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Fairseq2Llama.Dependencies;

namespace Fairseq2Llama.Adapters;

/// <summary>Sums up a block. The lanes are as many on every machine, and so the sums are the same to the last digit.</summary>
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
            evenMin = Min(evenMin, even);
            oddMin = Min(oddMin, odd);
            evenMax = Max(evenMax, even);
            oddMax = Max(oddMax, odd);
            evenZeros -= Vector256.Equals(even, Vector256<double>.Zero).AsInt64();
            oddZeros -= Vector256.Equals(odd, Vector256<double>.Zero).AsInt64();
        }

        var sum = Sum(evenSum + oddSum);
        var (minLanes, maxLanes) = (Min(evenMin, oddMin), Max(evenMax, oddMax));
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
        var deviations = SumOfSquaredDeviations(numbers, mean);

        // Both are positive, so nothing is lost, and the numbers need not be looked at again. Of zeros it does not matter which sign the least has.
        return new TensorMoments(numbers.Length, min + 0d, max + 0d, mean, deviations, deviations + (mean * mean * numbers.Length), zeros, 0, 0);
    }

    private static double SumOfSquaredDeviations(ReadOnlySpan<double> numbers, double mean)
    {
        var vectors = MemoryMarshal.Cast<double, Vector256<double>>(numbers);
        var means = Vector256.Create(mean);
        var (evenSum, oddSum) = (Vector256<double>.Zero, Vector256<double>.Zero);
        var i = 0;

        for (; i < vectors.Length - 1; i += 2)
        {
            var (even, odd) = (vectors[i] - means, vectors[i + 1] - means);
            evenSum += even * even;
            oddSum += odd * odd;
        }

        var sum = Sum(evenSum + oddSum);

        foreach (var number in numbers[(i * Vector256<double>.Count)..])
        {
            sum += (number - mean) * (number - mean);
        }

        return sum;
    }

    /// <summary>Vector256.Sum may add lanes in another order on another processor.</summary>
    internal static double Sum(Vector256<double> lanes) => (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);

    /// <summary>Vector256.Min cares for NaN and the sign of zero, which takes longer and makes no difference here.</summary>
    private static Vector256<double> Min(Vector256<double> left, Vector256<double> right) =>
        Vector256.ConditionalSelect(Vector256.LessThan(right, left), right, left);

    internal static Vector256<double> Max(Vector256<double> left, Vector256<double> right) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(right, left), right, left);

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
