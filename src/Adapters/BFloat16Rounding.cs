using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Fairseq2Llama.Adapters;

/// <summary>From float32 to bfloat16, to the nearest, and to the even one of two.</summary>
internal static class BFloat16Rounding
{
    private const uint QuietNaN = 0x7fc0;

    /// <param name="source">The numbers.</param>
    /// <param name="target">Room for as many.</param>
    public static void Round(ReadOnlySpan<float> source, Span<ushort> target)
    {
        Debug.Assert(target.Length >= source.Length, "no room");

        var vectors = MemoryMarshal.Cast<float, Vector256<float>>(source);
        var targets = MemoryMarshal.Cast<ushort, Vector256<ushort>>(target);
        var pairs = vectors.Length / 2;

        for (var i = 0; i < pairs; i++)
        {
            targets[i] = Vector256.Narrow(Round(vectors[2 * i]), Round(vectors[(2 * i) + 1]));
        }

        for (var i = pairs * Vector256<ushort>.Count; i < source.Length; i++)
        {
            target[i] = (ushort)Round(Vector256.Create(source[i]))[0];
        }
    }

    private static Vector256<uint> Round(Vector256<float> numbers)
    {
        var bits = numbers.AsUInt32();
        var isOdd = (bits >>> 16) & Vector256<uint>.One;
        var rounded = (bits + Vector256.Create(0x7fffu) + isOdd) >>> 16;

        // A NaN's payload could be carried away, or into the sign.
        return Vector256.ConditionalSelect(Vector256.Equals(numbers, numbers).AsUInt32(), rounded, Vector256.Create(QuietNaN));
    }
}
