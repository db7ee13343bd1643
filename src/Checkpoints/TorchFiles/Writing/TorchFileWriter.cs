using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Zip;

namespace Fairseq2Llama.TorchFiles.Writing;

/// <summary>Hands the bytes of a storage on, in order and in pieces.</summary>
/// <returns>Their CRC-32.</returns>
internal delegate uint StorageCopy(PlannedStorage storage, ChunkSink sink);

/// <summary>Writes a planned torch.save file. Every place in it is known beforehand; only the checksums come with the data.</summary>
internal static class TorchFileWriter
{
    /// <param name="layout">What to write.</param>
    /// <param name="path">Where; there must be no such file.</param>
    /// <param name="flush">Whether it must have reached the disk.</param>
    /// <param name="copy">Gives the data.</param>
    /// <param name="reportWritten">Told how many bytes were written since it was told last.</param>
    /// <returns>The CRC-32 of each storage.</returns>
    public static IReadOnlyDictionary<PlannedStorage, uint> Write(
        TorchFileLayout layout, string path, bool flush, StorageCopy copy, Action<long> reportWritten)
    {
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

                crc = checksums[storage] = copy(storage, chunk =>
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

        directory.Write(ZipRecord.DirectoryEnd(layout.DirectoryOffset, layout.DirectoryLength, layout.Items.Count));
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
