using Fairseq2Llama.Dependencies;

namespace Fairseq2Llama.TorchFiles.Writing;

/// <summary>Writes a planned torch.save file. Every place in it is known beforehand; only the checksums come with the data.</summary>
internal static class TorchFileWriter
{
    /// <returns>The CRC-32 of each storage.</returns>
    public static IReadOnlyDictionary<PlannedStorage, uint> Write(
        PlannedTorchFile file, string path, StorageCopier copier, Action<long> reportWritten)
    {
        var layout = file.Layout;
        var checksums = new Dictionary<PlannedStorage, uint>();
        var directory = new MemoryStream();

        // Preallocation finds a full disk now rather than after an hour.
        using var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, preallocationSize: layout.Length);

        foreach (var (record, content, storage) in layout.Items)
        {
            uint crc;

            if (storage is not null)
            {
                var offset = record.DataOffset;

                crc = checksums[storage] = copier.Copy(storage, chunk =>
                {
                    RandomAccess.Write(handle, chunk, offset);
                    offset += chunk.Length;
                    reportWritten(chunk.Length);
                });
            }
            else
            {
                crc = Crc32Of(content);
                RandomAccess.Write(handle, content, record.DataOffset);
                reportWritten(content!.Length);
            }

            RandomAccess.Write(handle, record.LocalHeader(crc), record.HeaderOffset);
            directory.Write(record.CentralHeader(crc));
        }

        directory.Write(Zip.ZipRecord.DirectoryEnd(layout.DirectoryOffset, layout.DirectoryLength, layout.Items.Count));
        RandomAccess.Write(handle, directory.GetBuffer().AsSpan(0, (int)directory.Length), layout.DirectoryOffset);
        return checksums;
    }

    private static uint Crc32Of(ReadOnlySpan<byte> content)
    {
        var crc = ThirdParty.CreateCrc32();
        crc.Append(content);
        return crc.GetAndReset();
    }
}
