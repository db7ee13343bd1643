using System.Buffers.Binary;
using System.Text;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.TorchFiles.Zip;

/// <summary>
/// Reads the central directory of a zip archive. The framework's ZipArchive gives no access to where an entry's data lies,
/// and that is all we are after: tensor data is read from the file itself.
/// </summary>
internal static class ZipDirectory
{
    /// <summary>Room for more than half a million records; bounds what a file can make us allocate.</summary>
    private const int MaxSize = 64 << 20;

    private const int MaxCommentLength = ushort.MaxValue;

    /// <summary>What is read first.</summary>
    public static ByteRange TailOf(IByteSource source)
    {
        var length = Math.Min(source.Length, ZipFormat.EndSize + MaxCommentLength);
        return new ByteRange(source.Length - length, length);
    }

    /// <exception cref="CheckpointException">The archive is truncated or contradicts itself.</exception>
    public static IReadOnlyList<ZipEntry> Read(IByteSource source, IByteReader reader, CancellationToken cancellationToken)
    {
        var end = FindEnd(source, reader);

        if (end.Size > MaxSize || end.Offset > source.Length - end.Size)
        {
            throw Corrupt(source, $"its directory should be {end.Size} bytes at {end.Offset}.");
        }

        var directory = new byte[end.Size];
        reader.Read(end.Offset, directory);

        var entries = ParseEntries(source, directory, end.EntryCount);

        // One request for each header would take minutes where each takes some hundredths of a second.
        reader.Expect([.. entries.Select(entry => new ByteRange(entry.HeaderOffset, ZipFormat.LocalHeaderSize))]);
        int[] places = [.. Enumerable.Range(0, entries.Count).OrderBy(i => entries[i].HeaderOffset)];

        foreach (var i in places)
        {
            cancellationToken.ThrowIfCancellationRequested();
            entries[i] = entries[i] with { DataOffset = FindData(source, reader, entries[i], end.Offset) };
        }

        RequireApart(source, places.Select(i => entries[i]), cancellationToken);
        return entries;
    }

    /// <summary>
    /// No program writes records that share bytes by mistake. If deflated, they could turn each byte of a file into a thousand, once for every record.
    /// </summary>
    /// <param name="source">The file.</param>
    /// <param name="entries">By their places.</param>
    /// <param name="cancellationToken">Stops it.</param>
    private static void RequireApart(IByteSource source, IEnumerable<ZipEntry> entries, CancellationToken cancellationToken)
    {
        ZipEntry? before = null;

        foreach (var entry in entries)
        {
            cancellationToken.ThrowIfCancellationRequested();

            if (before is not null && entry.HeaderOffset < before.DataOffset + before.StoredLength)
            {
                throw Corrupt(source, $"its records '{before.Name}' and '{entry.Name}' overlap.");
            }

            before = entry;
        }
    }

    private static DirectoryEnd FindEnd(IByteSource source, IByteReader reader)
    {
        // Hardly any program adds the comment that may follow the end.
        foreach (var length in new[] { Math.Min(source.Length, ZipFormat.EndSize), TailOf(source).Length })
        {
            var tail = new byte[length];
            reader.Read(source.Length - length, tail);

            for (var i = tail.Length - ZipFormat.EndSize; i >= 0; i--)
            {
                var record = tail.AsSpan(i);

                if (UInt32(record, 0) == ZipFormat.EndSignature && UInt16(record, 20) == record.Length - ZipFormat.EndSize)
                {
                    var end = new DirectoryEnd(UInt16(record, 10), UInt32(record, 12), UInt32(record, 16));
                    return FindZip64End(source, reader, source.Length - tail.Length + i) ?? end;
                }
            }
        }

        throw Corrupt(source, "it begins as a zip archive but has no directory at its end, so it was probably cut off while it was written or copied.");
    }

    private static DirectoryEnd? FindZip64End(IByteSource source, IByteReader reader, long endOffset)
    {
        if (endOffset < ZipFormat.Zip64LocatorSize + ZipFormat.Zip64EndSize)
        {
            return null;
        }

        var locator = new byte[ZipFormat.Zip64LocatorSize];
        reader.Read(endOffset - locator.Length, locator);

        if (UInt32(locator, 0) != ZipFormat.Zip64LocatorSignature)
        {
            return null;
        }

        var offset = Int64(source, locator, 8);

        if (offset > endOffset - ZipFormat.Zip64LocatorSize - ZipFormat.Zip64EndSize)
        {
            throw Corrupt(source, "its ZIP64 directory record lies outside the file.");
        }

        var record = new byte[ZipFormat.Zip64EndSize];
        reader.Read(offset, record);

        return UInt32(record, 0) == ZipFormat.Zip64EndSignature
            ? new DirectoryEnd(Int64(source, record, 32), Int64(source, record, 40), Int64(source, record, 48))
            : throw Corrupt(source, "its ZIP64 directory record is missing.");
    }

    private static List<ZipEntry> ParseEntries(IByteSource source, ReadOnlySpan<byte> directory, long count)
    {
        var entries = new List<ZipEntry>();

        while (!directory.IsEmpty)
        {
            if (directory.Length < ZipFormat.CentralHeaderSize || UInt32(directory, 0) != ZipFormat.CentralHeaderSignature)
            {
                throw Corrupt(source, $"record {entries.Count + 1} of its directory is malformed.");
            }

            int nameLength = UInt16(directory, 28), extraLength = UInt16(directory, 30), commentLength = UInt16(directory, 32);
            var length = ZipFormat.CentralHeaderSize + nameLength + extraLength + commentLength;

            if (directory.Length < length)
            {
                throw Corrupt(source, "its directory ends too early.");
            }

            var name = Encoding.UTF8.GetString(directory.Slice(ZipFormat.CentralHeaderSize, nameLength));
            var extra = directory.Slice(ZipFormat.CentralHeaderSize + nameLength, extraLength);
            entries.Add(ParseEntry(source, name, directory, extra));
            directory = directory[length..];
        }

        return entries.Count == count
            ? entries
            : throw Corrupt(source, $"its directory holds {entries.Count} records and claims {count}.");
    }

    private static ZipEntry ParseEntry(IByteSource source, string name, ReadOnlySpan<byte> header, ReadOnlySpan<byte> extra)
    {
        var method = UInt16(header, 10);

        if ((UInt16(header, 8) & ZipFormat.EncryptedFlag) != 0)
        {
            throw TorchFile.Unrecognized(source, "is an encrypted zip archive");
        }

        if (method is not (ZipFormat.Stored or ZipFormat.Deflated))
        {
            throw TorchFile.Unrecognized(source, $"is a zip archive whose record '{name}' uses the compression method {method}; torch.save does not compress");
        }

        // The ZIP64 extra field holds, in this order, just those values that did not fit.
        var wide = FindExtra(extra, ZipFormat.Zip64ExtraId);
        var length = Widen(source, UInt32(header, 24), ref wide);
        var storedLength = Widen(source, UInt32(header, 20), ref wide);
        var offset = Widen(source, UInt32(header, 42), ref wide);

        if (method == ZipFormat.Stored && length != storedLength)
        {
            throw Corrupt(source, $"the record '{name}' is stored, but has two lengths, {storedLength} and {length}.");
        }

        if (method == ZipFormat.Deflated && length / ZipFormat.MaxDeflateRatio > storedLength)
        {
            throw Corrupt(source, $"the record '{name}' claims to inflate from {storedLength} to {length} bytes, which is impossible.");
        }

        return new ZipEntry(name, method == ZipFormat.Deflated, UInt32(header, 16), storedLength, length, offset);
    }

    private static ReadOnlySpan<byte> FindExtra(ReadOnlySpan<byte> extra, ushort id)
    {
        while (extra.Length >= 4)
        {
            var length = Math.Min(UInt16(extra, 2), extra.Length - 4);

            if (UInt16(extra, 0) == id)
            {
                return extra.Slice(4, length);
            }

            extra = extra[(4 + length)..];
        }

        return [];
    }

    private static long Widen(IByteSource source, uint narrow, ref ReadOnlySpan<byte> wide)
    {
        if (narrow != ZipFormat.In64Bits)
        {
            return narrow;
        }

        if (wide.Length < 8)
        {
            throw Corrupt(source, "a record of its directory lacks its ZIP64 sizes.");
        }

        var value = Int64(source, wide, 0);
        wide = wide[8..];
        return value;
    }

    private static long FindData(IByteSource source, IByteReader reader, ZipEntry entry, long directoryOffset)
    {
        Span<byte> header = stackalloc byte[ZipFormat.LocalHeaderSize];

        if (entry.HeaderOffset > directoryOffset - header.Length)
        {
            throw Corrupt(source, $"the record '{entry.Name}' lies outside the file.");
        }

        reader.Read(entry.HeaderOffset, header);
        var dataOffset = entry.HeaderOffset + header.Length + UInt16(header, 26) + UInt16(header, 28);

        if (UInt32(header, 0) != ZipFormat.LocalHeaderSignature || dataOffset > directoryOffset - entry.StoredLength)
        {
            throw Corrupt(source, $"the record '{entry.Name}' is not where the directory says.");
        }

        return dataOffset;
    }

    private static ushort UInt16(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);

    private static uint UInt32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    private static long Int64(IByteSource source, ReadOnlySpan<byte> bytes, int offset)
    {
        var value = BinaryPrimitives.ReadInt64LittleEndian(bytes[offset..]);
        return value >= 0 ? value : throw Corrupt(source, "its directory holds a size beyond 63 bits.");
    }

    private static CheckpointException Corrupt(IByteSource source, string what) => CheckpointException.Corrupt(source.Name, what);

    private readonly record struct DirectoryEnd(long EntryCount, long Size, long Offset);
}
