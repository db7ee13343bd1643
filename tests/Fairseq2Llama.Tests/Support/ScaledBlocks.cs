using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A transform of 32 numbers into 34 bytes, as block quantizations have it: one scale for all, and a small integer for each.</summary>
internal sealed class ScaledBlocks : IBlockTransform
{
    public const int Elements = 32;
    public const int OutputSize = 2 + Elements;

    public int InputBlockSize => Elements * sizeof(float);

    public int OutputBlockSize => OutputSize;

    /// <summary>What becomes of all of it at once.</summary>
    public static byte[] Of(byte[] numbers)
    {
        var transform = new ScaledBlocks();
        var result = new byte[numbers.Length / transform.InputBlockSize * OutputSize];
        transform.Transform(numbers, result);
        return result;
    }

    public void Transform(ReadOnlySpan<byte> input, Span<byte> output)
    {
        for (; !input.IsEmpty; input = input[InputBlockSize..], output = output[OutputSize..])
        {
            var numbers = MemoryMarshal.Cast<byte, float>(input)[..Elements];
            var scale = 0f;

            foreach (var number in numbers)
            {
                scale = Math.Max(scale, Math.Abs(number) / sbyte.MaxValue);
            }

            BinaryPrimitives.WriteHalfLittleEndian(output, (Half)scale);

            for (var i = 0; i < Elements; i++)
            {
                output[2 + i] = (byte)(sbyte)(numbers[i] / scale);
            }
        }
    }
}
