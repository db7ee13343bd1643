using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Fairseq2Llama.S3;

/// <summary>The bytes of a request.</summary>
internal static class Payload
{
    /// <summary>The bytes as a stream that does not copy them.</summary>
    public static MemoryStream StreamOf(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out var segment)
            ? new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false)
            : new MemoryStream(bytes.ToArray(), writable: false);

    /// <summary>The CRC-32 as S3 writes it: in base64, its most significant byte first.</summary>
    public static string ChecksumOf(ReadOnlySpan<byte> bytes)
    {
        Span<byte> value = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(value, Crc32.HashToUInt32(bytes));
        return Convert.ToBase64String(value);
    }
}
