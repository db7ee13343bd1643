namespace Fairseq2Llama.TorchFiles.Zip;

/// <summary>One record of a zip archive, as its central directory describes it.</summary>
/// <param name="Name">Full name within the archive.</param>
/// <param name="IsDeflated">Whether its data is deflated; otherwise it is stored.</param>
/// <param name="Crc32">CRC-32 of the uncompressed data.</param>
/// <param name="StoredLength">Bytes that the data takes in the archive.</param>
/// <param name="Length">Bytes of the data.</param>
/// <param name="HeaderOffset">Where its local header is.</param>
internal sealed record ZipEntry(string Name, bool IsDeflated, uint Crc32, long StoredLength, long Length, long HeaderOffset)
{
    /// <summary>Where its data is; only the local header says how long itself is.</summary>
    public long DataOffset { get; init; }
}
