using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Fairseq2Llama.Adapters;

/// <summary>
/// From bfloat16 to float16 with no float32 between them: whatever float16 has room for keeps all its bits, and only what is subnormal there is
/// rounded, to the nearest, and to the even one of two.
/// </summary>
internal static class Float16Rounding
{
    private const short Infinity = 0x7c00;
    private const short QuietNaN = 0x7e00;

    /// <summary>Of bfloat16: 2^-14, below which float16 is subnormal; 2^16, for which it is too small; infinity.</summary>
    private const short SmallestNormal = 0x3880, TooLarge = 0x4780, BFloat16Infinity = 0x7f80;

    /// <param name="source">Patterns of bfloat16.</param>
    /// <param name="target">Room for as many of float16.</param>
    public static void Round(ReadOnlySpan<short> source, Span<short> target)
    {
        Debug.Assert(target.Length >= source.Length, "no room");

        var vectors = MemoryMarshal.Cast<short, Vector256<short>>(source);
        var targets = MemoryMarshal.Cast<short, Vector256<short>>(target)[..vectors.Length];

        for (var i = 0; i < vectors.Length; i++)
        {
            targets[i] = Round(vectors[i]);
        }

        for (var i = vectors.Length * Vector256<short>.Count; i < source.Length; i++)
        {
            target[i] = Round(Vector256.Create(source[i]))[0];
        }
    }

    private static Vector256<short> Round(Vector256<short> patterns)
    {
        var signs = patterns & Vector256.Create(short.MinValue);
        var magnitudes = patterns ^ signs;

        // The fraction has three bits more, and the exponent counts from another number.
        var rounded = (magnitudes << 3) - Vector256.Create(unchecked((short)((127 - 15) << 10)));

        if (Vector256.LessThanAny(magnitudes, Vector256.Create(SmallestNormal)))
        {
            rounded = Vector256.ConditionalSelect(Vector256.LessThan(magnitudes, Vector256.Create(SmallestNormal)), RoundSubnormal(magnitudes), rounded);
        }

        if (Vector256.GreaterThanOrEqualAny(magnitudes, Vector256.Create(TooLarge)))
        {
            rounded = Vector256.ConditionalSelect(Vector256.LessThan(magnitudes, Vector256.Create(TooLarge)), rounded, Vector256.Create(Infinity));
            rounded = Vector256.ConditionalSelect(Vector256.GreaterThan(magnitudes, Vector256.Create(BFloat16Infinity)), Vector256.Create(QuietNaN), rounded);
        }

        return rounded | signs;
    }

    /// <summary>Subnormal float16 numbers are as far apart as float32 numbers from 0.5 to 1. So adding a number to 0.5 rounds it, and gives its number of steps.</summary>
    private static Vector256<short> RoundSubnormal(Vector256<short> magnitudes)
    {
        var half = Vector256.Create(0.5f);
        var (lower, upper) = Vector256.Widen(magnitudes);
        var (first, second) = ((lower << 16).AsSingle() + half, (upper << 16).AsSingle() + half);
        return Vector256.Narrow(first.AsInt32() - half.AsInt32(), second.AsInt32() - half.AsInt32());
    }
}
