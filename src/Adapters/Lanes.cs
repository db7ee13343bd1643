using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fairseq2Llama.Adapters;

/// <summary>What vectors of four float64 do, the same on every machine to the last digit.</summary>
internal static class Lanes
{
    /// <summary>Vector256.Sum may add lanes in another order on another processor.</summary>
    public static double Sum(Vector256<double> lanes) => (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);

    /// <summary>Vector256.Min cares for NaN and the sign of zero, which takes longer and makes no difference here.</summary>
    public static Vector256<double> Min(Vector256<double> left, Vector256<double> right) =>
        Avx.IsSupported ? Avx.Min(right, left) : Vector256.ConditionalSelect(Vector256.LessThan(right, left), right, left);

    /// <summary>As <see cref="Min"/>: a NaN on the right is skipped.</summary>
    public static Vector256<double> Max(Vector256<double> left, Vector256<double> right) =>
        Avx.IsSupported ? Avx.Max(right, left) : Vector256.ConditionalSelect(Vector256.GreaterThan(right, left), right, left);

    /// <summary>Adds the squares of numbers that float64 holds exactly, as it does those of float32 and all that is narrower: then to round once or twice is the same.</summary>
    public static Vector256<double> AddExactSquares(Vector256<double> sums, Vector256<double> numbers) =>
        Fma.IsSupported ? Fma.MultiplyAdd(numbers, numbers, sums) : sums + (numbers * numbers);

    /// <summary>The sum of the squares of distances from a number. Four sums at a time, because each addition waits for the one before.</summary>
    public static double SumOfSquares(ReadOnlySpan<double> numbers, double origin)
    {
        var vectors = MemoryMarshal.Cast<double, Vector256<double>>(numbers);
        var origins = Vector256.Create(origin);
        var (first, second, third, fourth) = (Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero);
        var i = 0;

        for (; i < vectors.Length - 3; i += 4)
        {
            var (one, two, three, four) = (vectors[i] - origins, vectors[i + 1] - origins, vectors[i + 2] - origins, vectors[i + 3] - origins);
            first += one * one;
            second += two * two;
            third += three * three;
            fourth += four * four;
        }

        var sum = Sum((first + second) + (third + fourth));

        foreach (var number in numbers[(i * Vector256<double>.Count)..])
        {
            sum += (number - origin) * (number - origin);
        }

        return sum;
    }
}
