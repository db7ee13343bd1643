using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Fairseq2Llama.Transfer;

/// <summary>Turns the bytes of numbers round, from one byte order to the other.</summary>
/// <param name="numberSize">Bytes of a number: 2, 4 or 8.</param>
internal sealed class ByteSwap(int numberSize) : IBlockTransform
{
    public int InputBlockSize => numberSize;

    public int OutputBlockSize => numberSize;

    public void Transform(ReadOnlySpan<byte> input, Span<byte> output)
    {
        switch (numberSize)
        {
            case 2:
                BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, ushort>(input), MemoryMarshal.Cast<byte, ushort>(output));
                break;
            case 4:
                BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, uint>(input), MemoryMarshal.Cast<byte, uint>(output));
                break;
            case 8:
                BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, ulong>(input), MemoryMarshal.Cast<byte, ulong>(output));
                break;
        }
    }
}
