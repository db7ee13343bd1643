using Fairseq2Llama.Dependencies;

namespace Fairseq2Llama.TorchFiles.Writing;

/// <summary>Writes a planned torch.save file. Every place in it is known beforehand; only the checksums come with the data.</summary>
internal static class TorchFileWriter
{
    /// <param name="file">What to write.</param>
    /// <param name="path">Where; there must be no such file.</param>
    /// <param name="flush">Whether it must have reached the disk.</param>
    /// <param name="copier">Gives the data.</param>
    /// <param name="reportWritten">Told how many bytes were written since it was told last.</param>
    /// <returns>The CRC-32 of each storage.</returns>
    public static IReadOnlyDictionary<PlannedStorage, uint> Write(
        PlannedTorchFile file, string path, bool flush, StorageCopier copier, Action<long> reportWritten)
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
            }

            RandomAccess.Write(handle, record.LocalHeader(crc), record.HeaderOffset);
            directory.Write(record.CentralHeader(crc));
        }

        directory.Write(Zip.ZipRecord.DirectoryEnd(layout.DirectoryOffset, layout.DirectoryLength, layout.Items.Count));
        RandomAccess.Write(handle, directory.GetBuffer().AsSpan(0, (int)directory.Length), layout.DirectoryOffset);

        if (flush)
        {
            RandomAccess.FlushToDisk(handle);
        }

        return checksums;
    }

    private static uint Crc32Of(ReadOnlySpan<byte> content)
    {
        var crc = ThirdParty.CreateCrc32();
        crc.Append(content);
        return crc.GetAndReset();
    }
}
