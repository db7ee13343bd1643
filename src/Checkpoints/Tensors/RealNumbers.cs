using System.Runtime.InteropServices;

namespace Fairseq2Llama.Tensors;

/// <summary>Real floating-point numbers as float64, which holds each of them exactly.</summary>
internal static class RealNumbers
{
    /// <param name="dtype">A real floating-point type of two bytes or more.</param>
    /// <param name="elements">Little-endian.</param>
    public static double[] Read(DType dtype, ReadOnlySpan<byte> elements) => dtype switch
    {
        DType.Float64 => MemoryMarshal.Cast<byte, double>(elements).ToArray(),
        DType.Float32 => Array.ConvertAll(MemoryMarshal.Cast<byte, float>(elements).ToArray(), number => (double)number),
        DType.Float16 => Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(elements).ToArray(), number => (double)number),
        DType.BFloat16 => Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(elements).ToArray(), bits => (double)BitConverter.Int32BitsToSingle(bits << 16)),
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "No such numbers."),
    };
}
