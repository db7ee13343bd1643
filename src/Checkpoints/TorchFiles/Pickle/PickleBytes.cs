using System.Buffers.Binary;
using System.Text;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>The bytes of a pickle, read from front to back and never past their end.</summary>
internal sealed class PickleBytes(ReadOnlyMemory<byte> bytes, string file)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public int Position { get; private set; }

    public ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > bytes.Length - Position)
        {
            throw CheckpointException.Corrupt(file, $"its pickle ends too early, at byte {Position} of {bytes.Length}.");
        }

        var taken = bytes.Span.Slice(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    public byte UInt8() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public double Double() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    /// <summary>A two's complement integer of any length. Those beyond 64 bits occur only as the legacy container's magic.</summary>
    public object Integer(long count)
    {
        if (count > 16)
        {
            throw CheckpointException.Corrupt(file, $"its pickle holds an integer of {count} bytes.");
        }

        var value = Int128.Zero;
        var digits = Take(count);

        for (var i = digits.Length - 1; i >= 0; i--)
        {
            value = (value << 8) | digits[i];
        }

        if (!digits.IsEmpty && (digits[^1] & 0x80) != 0 && count < 16)
        {
            value -= Int128.One << (8 * digits.Length);
        }

        return value >= long.MinValue && value <= long.MaxValue ? (long)value : value;
    }

    public string Text(long count)
    {
        try
        {
            return Utf8.GetString(Take(count));
        }
        catch (DecoderFallbackException)
        {
            throw CheckpointException.Corrupt(file, "its pickle holds text that is not UTF-8.");
        }
    }

    /// <summary>A line as GLOBAL has it, without its end.</summary>
    public string Line()
    {
        var length = bytes.Span[Position..].IndexOf((byte)'\n');
        var line = Text(length < 0 ? long.MaxValue : length);
        Position++;
        return line;
    }
}
