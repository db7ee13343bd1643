using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

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

        // NaN stays NaN on its way through these.
        var magnitudes = Vector256.Max(Vector256.Max(Vector256.Abs(first), Vector256.Abs(second)), Vector256.Max(Vector256.Abs(third), Vector256.Abs(fourth)));
        var halves = Vector128.Max(magnitudes.GetLower(), magnitudes.GetUpper());
        var pairs = Vector128.Max(halves, Vector128.Shuffle(halves, Vector128.Create(2, 3, 0, 1)));
        var largest = Vector128.Max(pairs, Vector128.Shuffle(pairs, Vector128.Create(1, 0, 3, 2)))[0];
        var scale = largest / MaxQuantum;
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
        Vector256.Narrow(
            Vector256.Narrow(Round(first * factor), Round(second * factor)),
            Vector256.Narrow(Round(third * factor), Round(fourth * factor))).CopyTo(MemoryMarshal.Cast<byte, sbyte>(block));
    }

    /// <summary>To the nearest, and away from zero if there are two. To add a half and truncate would round what is just below a half to one.</summary>
    private static Vector256<int> Round(Vector256<float> numbers)
    {
        var magnitudes = Vector256.Abs(numbers);
        var floors = Vector256.Floor(magnitudes);
        var rounded = floors + Vector256.Floor((magnitudes - floors) * 2);
        return Vector256.ConvertToInt32(rounded | (numbers & Vector256.Create(-0f)));
    }
}
