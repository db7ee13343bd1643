using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Writes a message of protocol buffers, field by field.</summary>
internal sealed class ProtobufBuilder
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public ProtobufBuilder Number(int field, long value) => Tag(field, 0).Varint(unchecked((ulong)value));

    public ProtobufBuilder Float(int field, float value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        return Tag(field, 5).Raw(bytes);
    }

    public ProtobufBuilder Bytes(int field, ReadOnlySpan<byte> value) => Tag(field, 2).Varint((ulong)value.Length).Raw(value);

    public ProtobufBuilder Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public ProtobufBuilder Message(int field, ProtobufBuilder value) => Bytes(field, value.ToArray());

    public ProtobufBuilder Tag(int field, int wireType) => Varint(((ulong)field << 3) | (uint)wireType);

    public ProtobufBuilder Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _bytes.Write([(byte)(value | 0x80)]);
        }

        _bytes.Write([(byte)value]);
        return this;
    }

    public ProtobufBuilder Raw(ReadOnlySpan<byte> bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();
}
