using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Fairseq2Llama.Adapters;

/// <summary>Numbers of any element type as float64, or as float32, which both hold all of float16, bfloat16 and float8 exactly.</summary>
internal static class NumberBlock
{
    /// <summary>So few that a block, as float64, stays in the processor's first cache from one pass over it to the next.</summary>
    public const int Length = 2048;

    private static readonly float[] Float8E4M3FN = [.. Enumerable.Range(0, 256).Select(bits => DecodeFloat8(bits, mantissaBits: 3, bias: 7, hasInfinity: false))];
    private static readonly float[] Float8E5M2 = [.. Enumerable.Range(0, 256).Select(bits => DecodeFloat8(bits, mantissaBits: 2, bias: 15, hasInfinity: true))];

    /// <summary>How many numbers an element is.</summary>
    public static int NumbersPerElement(DType dtype) => dtype is DType.Complex64 or DType.Complex128 ? 2 : 1;

    /// <summary>Bytes of a number.</summary>
    public static int NumberSize(DType dtype) => dtype.GetItemSize() / NumbersPerElement(dtype);

    /// <param name="dtype">Any type; a complex number is two.</param>
    /// <param name="source">A block at most.</param>
    /// <param name="target">Room for as many numbers.</param>
    public static void ToFloat64(DType dtype, ReadOnlySpan<byte> source, Span<double> target)
    {
        switch (dtype)
        {
            case DType.Float64 or DType.Complex128:
                MemoryMarshal.Cast<byte, double>(source).CopyTo(target);
                break;
            case DType.BFloat16:
                WidenBFloat16(MemoryMarshal.Cast<byte, ushort>(source), target);
                break;
            case DType.Float32 or DType.Complex64:
                Convert<float>(source, target);
                break;
            case DType.Int8:
                Convert<sbyte>(source, target);
                break;
            case DType.Int16:
                Convert<short>(source, target);
                break;
            case DType.Int32:
                Convert<int>(source, target);
                break;
            case DType.Int64:
                Convert<long>(source, target);
                break;
            case DType.UInt8 or DType.Bool:
                Convert<byte>(source, target);
                break;
            case DType.UInt16:
                Convert<ushort>(source, target);
                break;
            case DType.UInt32:
                Convert<uint>(source, target);
                break;
            case DType.UInt64:
                Convert<ulong>(source, target);
                break;
            default:
                Span<float> numbers = stackalloc float[Length];
                numbers = numbers[..target.Length];
                ToFloat32(dtype, source, numbers);
                TensorPrimitives.ConvertTruncating<float, double>(numbers, target);
                break;
        }
    }

    /// <summary>Rounds to the nearest what float32 can't hold.</summary>
    /// <param name="dtype">A real floating-point type.</param>
    /// <param name="source">Any number of them.</param>
    /// <param name="target">Room for as many.</param>
    public static void ToFloat32(DType dtype, ReadOnlySpan<byte> source, Span<float> target)
    {
        switch (dtype)
        {
            case DType.Float64:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, double>(source), target);
                break;
            case DType.Float32:
                MemoryMarshal.Cast<byte, float>(source).CopyTo(target);
                break;
            case DType.Float16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), target);
                break;
            case DType.BFloat16:
                WidenBFloat16(MemoryMarshal.Cast<byte, ushort>(source), MemoryMarshal.Cast<float, uint>(target));
                break;
            case DType.Float8E4M3FN:
                LookUp(Float8E4M3FN, source, target);
                break;
            case DType.Float8E5M2:
                LookUp(Float8E5M2, source, target);
                break;
            case DType.Q8_0:
                Q80Blocks.Dequantize(source, target);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not a real floating-point type.");
        }
    }

    private static void Convert<T>(ReadOnlySpan<byte> source, Span<double> target)
        where T : unmanaged, INumber<T> => TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, T>(source), target);

    /// <summary>A bfloat16 is the upper half of a float32.</summary>
    private static void WidenBFloat16(ReadOnlySpan<ushort> source, Span<uint> target)
    {
        var vectors = MemoryMarshal.Cast<ushort, Vector256<ushort>>(source);
        var targets = MemoryMarshal.Cast<uint, Vector256<uint>>(target);

        for (var i = 0; i < vectors.Length; i++)
        {
            var (lower, upper) = Vector256.Widen(vectors[i]);
            targets[2 * i] = lower << 16;
            targets[(2 * i) + 1] = upper << 16;
        }

        for (var i = vectors.Length * Vector256<ushort>.Count; i < source.Length; i++)
        {
            target[i] = (uint)source[i] << 16;
        }
    }

    private static void WidenBFloat16(ReadOnlySpan<ushort> source, Span<double> target)
    {
        var vectors = MemoryMarshal.Cast<ushort, Vector256<ushort>>(source);
        var targets = MemoryMarshal.Cast<double, Vector256<double>>(target);

        for (var i = 0; i < vectors.Length; i++)
        {
            var (first, second, third, fourth) = WidenBFloat16(vectors[i]);
            targets[4 * i] = first;
            targets[(4 * i) + 1] = second;
            targets[(4 * i) + 2] = third;
            targets[(4 * i) + 3] = fourth;
        }

        for (var i = vectors.Length * Vector256<ushort>.Count; i < source.Length; i++)
        {
            target[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        }
    }

    /// <summary>Sixteen of them, in their order.</summary>
    public static (Vector256<double> First, Vector256<double> Second, Vector256<double> Third, Vector256<double> Fourth) WidenBFloat16(Vector256<ushort> patterns)
    {
        var (lower, upper) = Vector256.Widen(patterns);
        var (first, second) = Vector256.Widen((lower << 16).AsSingle());
        var (third, fourth) = Vector256.Widen((upper << 16).AsSingle());
        return (first, second, third, fourth);
    }

    private static void LookUp(float[] table, ReadOnlySpan<byte> source, Span<float> target)
    {
        for (var i = 0; i < source.Length; i++)
        {
            target[i] = table[source[i]];
        }
    }

    /// <summary>By the definitions in arXiv 2209.05433, table 1.</summary>
    private static float DecodeFloat8(int bits, int mantissaBits, int bias, bool hasInfinity)
    {
        var largestExponent = (1 << (7 - mantissaBits)) - 1;
        var exponent = (bits & 0x7f) >> mantissaBits;
        var mantissa = bits & ((1 << mantissaBits) - 1);
        var isNaN = hasInfinity ? exponent == largestExponent && mantissa != 0 : (bits & 0x7f) == 0x7f;

        var magnitude = isNaN ? float.NaN
            : hasInfinity && exponent == largestExponent ? float.PositiveInfinity
            : exponent == 0 ? MathF.ScaleB(mantissa, 1 - bias - mantissaBits)
            : MathF.ScaleB(mantissa | (1 << mantissaBits), exponent - bias - mantissaBits);

        return bits < 0x80 ? magnitude : -magnitude;
    }
}
