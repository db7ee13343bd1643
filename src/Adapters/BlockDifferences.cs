using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Fairseq2Llama.Dependencies;

namespace Fairseq2Llama.Adapters;

/// <summary>Compares two blocks of numbers.</summary>
internal static class BlockDifferences
{
    /// <summary>Of two blocks with the same numbers.</summary>
    public static DifferenceSums OfSame(ReadOnlySpan<double> numbers)
    {
        var squares = Lanes.SumOfSquares(numbers, 0);
        return new DifferenceSums(numbers.Length, 0, 0, 0, 0, squares, squares, squares);
    }

    /// <summary>The same of bfloat16, as nearly all weights are, straight from their patterns: to store them as float64 would take longer than all else.</summary>
    public static DifferenceSums OfSameBFloat16(ReadOnlySpan<ushort> patterns)
    {
        var vectors = MemoryMarshal.Cast<ushort, Vector256<ushort>>(patterns);
        var (first, second, third, fourth) = (Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero);

        foreach (var vector in vectors)
        {
            var (one, two, three, four) = NumberBlock.WidenBFloat16(vector);
            first = Lanes.AddExactSquares(first, one);
            second = Lanes.AddExactSquares(second, two);
            third = Lanes.AddExactSquares(third, three);
            fourth = Lanes.AddExactSquares(fourth, four);
        }

        var squares = Lanes.Sum((first + second) + (third + fourth));

        foreach (var pattern in patterns[(vectors.Length * Vector256<ushort>.Count)..])
        {
            double number = BitConverter.UInt32BitsToSingle((uint)pattern << 16);
            squares += number * number;
        }

        return new DifferenceSums(patterns.Length, 0, 0, 0, 0, squares, squares, squares);
    }

    /// <summary>Of two blocks of the same length.</summary>
    public static DifferenceSums Of(ReadOnlySpan<double> reference, ReadOnlySpan<double> difference)
    {
        var left = MemoryMarshal.Cast<double, Vector256<double>>(reference);
        var right = MemoryMarshal.Cast<double, Vector256<double>>(difference)[..left.Length];
        var (maxLanes, sumLanes, squareLanes) = (Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero);
        var (dotLanes, leftLanes, rightLanes) = (Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero);
        var sameLanes = Vector256<long>.Zero;

        for (var i = 0; i < left.Length; i++)
        {
            var (one, other) = (left[i], right[i]);
            var distance = Vector256.Abs(one - other);
            maxLanes = Lanes.Max(maxLanes, distance);
            sumLanes += distance;
            squareLanes += distance * distance;
            dotLanes += one * other;
            leftLanes += one * one;
            rightLanes += other * other;
            sameLanes -= Vector256.Equals(distance, Vector256<double>.Zero).AsInt64();
        }

        var (max, sum, squares) = (0d, Lanes.Sum(sumLanes), Lanes.Sum(squareLanes));
        var (dot, leftSquares, rightSquares) = (Lanes.Sum(dotLanes), Lanes.Sum(leftLanes), Lanes.Sum(rightLanes));
        var same = Vector256.Sum(sameLanes);

        for (var lane = 0; lane < Vector256<double>.Count; lane++)
        {
            max = Math.Max(max, maxLanes[lane]);
        }

        for (var i = left.Length * Vector256<double>.Count; i < reference.Length; i++)
        {
            var (one, other) = (reference[i], difference[i]);
            var distance = Math.Abs(one - other);
            max = Math.Max(max, distance);
            sum += distance;
            squares += distance * distance;
            dot += one * other;
            leftSquares += one * one;
            rightSquares += other * other;
            same += distance == 0 ? 1 : 0;
        }

        var sums = new DifferenceSums(reference.Length, reference.Length - same, max, sum, squares, dot, leftSquares, rightSquares);
        return double.IsFinite(sum) ? sums : WithDistancesOf(sums, reference, difference);
    }

    /// <summary>Infinity less itself is NaN, and so is NaN less itself: what is the same is no distance.</summary>
    private static DifferenceSums WithDistancesOf(DifferenceSums sums, ReadOnlySpan<double> reference, ReadOnlySpan<double> difference)
    {
        var (differing, max, sum, squares) = (0L, 0d, 0d, 0d);

        for (var i = 0; i < reference.Length; i++)
        {
            var (one, other) = (reference[i], difference[i]);

            if (one != other && !(double.IsNaN(one) && double.IsNaN(other)))
            {
                var distance = Math.Abs(one - other) is var number && double.IsNaN(number) ? double.PositiveInfinity : number;
                differing++;
                max = Math.Max(max, distance);
                sum += distance;
                squares += distance * distance;
            }
        }

        return sums with { Differing = differing, Max = max, Sum = sum, Squares = squares };
    }
}
