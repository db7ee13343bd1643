using System.Buffers.Binary;
using System.IO.Hashing;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>An upload that nobody sees yet.</summary>
/// <param name="Key">The key of the object that it becomes.</param>
/// <param name="Id">Its id.</param>
/// <param name="Checksum">The checksum that every part must have; null if none.</param>
/// <param name="Metadata">The metadata of the object.</param>
internal sealed record S3Upload(string Key, string Id, string? Checksum, IReadOnlyDictionary<string, string> Metadata)
{
    public SortedDictionary<int, S3Part> Parts { get; } = [];
}

/// <summary>A part of an upload.</summary>
/// <param name="Bytes">Its content, which may be a piece of an object that it was copied from.</param>
internal sealed record S3Part(ReadOnlyMemory<byte> Bytes)
{
    public string Tag { get; } = S3StoredObject.TagOf(Bytes.Span);

    public string Checksum { get; } = ChecksumOf(Bytes.Span);

    /// <summary>CRC-32 as S3 writes it.</summary>
    public static string ChecksumOf(ReadOnlySpan<byte> bytes)
    {
        var value = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(value, Crc32.HashToUInt32(bytes));
        return Convert.ToBase64String(value);
    }
}
