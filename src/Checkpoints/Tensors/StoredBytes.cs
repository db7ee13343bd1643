using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tensors;

/// <summary>
/// The bytes behind one or more tensors, as torch.save wrote them into a file. Compared by reference: two tensors share
/// memory exactly when they have the same storage object.
/// </summary>
internal sealed class StoredBytes
{
    public required IByteSource Source { get; init; }

    /// <summary>The name of the record in the archive, or the storage's key in the legacy container.</summary>
    public required string Record { get; init; }

    /// <summary>Where the record's data starts in the source.</summary>
    public required long Offset { get; init; }

    /// <summary>Bytes, uncompressed.</summary>
    public required long Length { get; init; }

    /// <summary>Bytes in the file when the record is deflated (torch.save never does, but zip tools do), otherwise null.</summary>
    public long? DeflatedLength { get; init; }

    /// <summary>Bytes that it takes beside its file while it is read: one that is deflated has places only once it is inflated.</summary>
    public long ScratchLength => DeflatedLength is null ? 0 : Length;

    /// <summary>CRC-32 of the uncompressed bytes; null where the file has none.</summary>
    public uint? Crc32 { get; init; }

    /// <summary>Whether a big-endian machine wrote it.</summary>
    public bool IsBigEndian { get; init; }
}
