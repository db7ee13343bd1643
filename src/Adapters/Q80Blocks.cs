using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fairseq2Llama.Adapters;

/// <summary>
/// From float32 to ggml's Q8_0 and back, to the bit as gguf-py's quants.py does, which is what ggml's C code does where numbers are finite: 32 numbers
/// become a float16 scale, the largest magnitude / 127, and 32 int8 in units of the scale before it was rounded to float16.
/// </summary>
internal static class Q80Blocks
{
    /// <summary>Numbers of a block.</summary>
    public const int Length = 32;

    /// <summary>Bytes of a block.</summary>
    public const int Size = sizeof(ushort) + Length;

    private const float MaxQuantum = 127;

    /// <param name="source">Blocks of numbers.</param>
    /// <param name="target">Room for as many.</param>
    public static void Quantize(ReadOnlySpan<float> source, Span<byte> target)
    {
        for (; !source.IsEmpty; source = source[Length..], target = target[Size..])
        {
            QuantizeBlock(source[..Length], target[..Size]);
        }
    }

    /// <param name="source">Blocks.</param>
    /// <param name="target">Room for their numbers.</param>
    public static void Dequantize(ReadOnlySpan<byte> source, Span<float> target)
    {
        for (; !source.IsEmpty; source = source[Size..], target = target[Length..])
        {
            var numbers = target[..Length];
            TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, sbyte>(source[sizeof(ushort)..Size]), numbers);
            TensorPrimitives.Multiply(numbers, (float)BinaryPrimitives.ReadHalfLittleEndian(source), numbers);
        }
    }

    private static void QuantizeBlock(ReadOnlySpan<float> numbers, Span<byte> block)
    {
        var vectors = MemoryMarshal.Cast<float, Vector256<float>>(numbers);
        var (first, second, third, fourth) = (vectors[0], vectors[1], vectors[2], vectors[3]);
        var scale = BitConverter.Int32BitsToSingle(LargestOf(MagnitudesOf(first), MagnitudesOf(second), MagnitudesOf(third), MagnitudesOf(fourth))) / MaxQuantum;
        var quanta = scale == 0 ? 0 : 1 / scale;

        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        block = block[sizeof(ushort)..];

        // Where there is a NaN or an infinity, or numbers are so small that their unit has no reciprocal, NumPy's casts of what is not finite give zeros.
        if (!float.IsFinite(scale) || !float.IsFinite(quanta))
        {
            block.Clear();
            return;
        }

        var factor = Vector256.Create(quanta);
        Narrow(Round(first * factor), Round(second * factor), Round(third * factor), Round(fourth * factor)).CopyTo(MemoryMarshal.Cast<byte, sbyte>(block));
    }

    /// <summary>Without the sign bit, patterns compare like the numbers that they stand for: finite ones, then infinity, then NaNs.</summary>
    private static Vector256<int> MagnitudesOf(Vector256<float> numbers) => numbers.AsInt32() & Vector256.Create(int.MaxValue);

    private static int LargestOf(Vector256<int> first, Vector256<int> second, Vector256<int> third, Vector256<int> fourth)
    {
        var all = Vector256.Max(Vector256.Max(first, second), Vector256.Max(third, fourth));
        var halves = Vector128.Max(all.GetLower(), all.GetUpper());
        var pairs = Vector128.Max(halves, Vector128.Shuffle(halves, Vector128.Create(2, 3, 0, 1)));
        return Vector128.Max(pairs, Vector128.Shuffle(pairs, Vector128.Create(1, 0, 3, 2)))[0];
    }

    /// <summary>To the nearest, and away from zero if there are two. With a whole half in its place, what is just below a half would be rounded up, too.</summary>
    private static Vector256<int> Round(Vector256<float> numbers)
    {
        var moved = numbers + (Vector256.Create(MathF.BitDecrement(0.5f)) | (numbers & Vector256.Create(-0f)));
        return Avx.IsSupported ? Avx.ConvertToVector256Int32WithTruncation(moved) : Vector256.ConvertToInt32(moved);
    }

    private static Vector256<sbyte> Narrow(Vector256<int> first, Vector256<int> second, Vector256<int> third, Vector256<int> fourth)
    {
        if (!Avx2.IsSupported)
        {
            return Vector256.Narrow(Vector256.Narrow(first, second), Vector256.Narrow(third, fourth));
        }

        // These go by halves of vectors, which are put in order at the end.
        var packed = Avx2.PackSignedSaturate(Avx2.PackSignedSaturate(first, second), Avx2.PackSignedSaturate(third, fourth));
        return Avx2.PermuteVar8x32(packed.AsInt32(), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).AsSByte();
    }
}
