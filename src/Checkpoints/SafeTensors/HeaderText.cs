using System.Buffers.Binary;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.SafeTensors;

/// <summary>Reads the beginning of a safetensors file: the length of its header in 8 bytes, little-endian, and the header.</summary>
internal static class HeaderText
{
    public const int LengthSize = sizeof(ulong);

    /// <summary>Bytes of a header; the limit of the reference implementation.</summary>
    private const int MaxLength = 100_000_000;

    /// <summary>Where each request takes time, most headers come with their length.</summary>
    private const int FirstRead = 64 << 10;

    /// <returns>The header, with the spaces that may follow it.</returns>
    /// <exception cref="CheckpointException">It does not begin as a safetensors file does, or is cut off within the header.</exception>
    public static byte[] Read(IByteSource source)
    {
        // Pipes and devices have no length either, and opening one could wait for ever.
        if (source.Length == 0)
        {
            throw Unrecognized(source, "is empty");
        }

        if (source.Length <= LengthSize)
        {
            throw Unrecognized(source, $"has only {Quantity.Of(source.Length, "byte")}");
        }

        using var reader = source.Open();
        reader.Expect([new ByteRange(0, Math.Min(source.Length, FirstRead))]);
        Span<byte> head = stackalloc byte[LengthSize + 1];
        reader.Read(0, head);

        var length = BinaryPrimitives.ReadUInt64LittleEndian(head);

        if (length is 0 or > MaxLength)
        {
            throw Unrecognized(source, $"begins with {length} as the length of its header, which must be from 1 to {MaxLength}");
        }

        if (head[LengthSize] != '{')
        {
            throw Unrecognized(source, $"has a header that begins with the byte 0x{head[LengthSize]:x2} , not with '{{'");
        }

        var rest = source.Length - LengthSize;

        if (length > (ulong)rest)
        {
            throw CheckpointException.Corrupt(
                source.Name,
                $"its header should be {length} bytes, but the file has {rest} for it: it was cut off while being written or copied.");
        }

        var header = new byte[length];
        reader.Read(LengthSize, header);
        return header;
    }

    private static CheckpointException Unrecognized(IByteSource source, string what) => new(
        CheckpointErrorCode.CheckpointUnrecognized,
        $"'{source.Name}' {what}. Expected a safetensors file: the length of a JSON header in 8 bytes, the header, and tensor data.",
        source.Name);
}
