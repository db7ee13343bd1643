using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Zip;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.TorchFiles.Writing;

/// <summary>Puts the bytes of a storage into their place; called from several threads at once.</summary>
/// <returns>Their CRC-32.</returns>
internal delegate uint StorageCopy(PlannedStorage storage, StorageTarget target);

/// <summary>Writes a planned torch.save file. Every place in it is known beforehand; only the checksums come with the data.</summary>
internal sealed class TorchFileWriter
{
    /// <summary>Starting threads takes longer than writing a file smaller than that.</summary>
    private const long MinParallel = 64 << 20;

    private readonly TorchFileLayout _layout;
    private readonly StorageCopy _copy;
    private readonly Workers _workers;
    private readonly uint[] _checksums;

    /// <param name="layout">What to write.</param>
    /// <param name="copy">Gives the data.</param>
    /// <param name="reportWritten">Told how many bytes were written since it was told last, on the thread that writes.</param>
    public TorchFileWriter(TorchFileLayout layout, StorageCopy copy, Action<long> reportWritten)
    {
        _layout = layout;
        _copy = copy;
        _workers = new Workers(reportWritten);
        _checksums = new uint[layout.Items.Count];
    }

    /// <param name="path">Where; there must be no such file.</param>
    /// <param name="preallocate">Whether to ask for room for all of it first, which finds a full disk now rather than after an hour.</param>
    /// <param name="flush">Whether it must have reached the disk.</param>
    /// <returns>The CRC-32 of each storage.</returns>
    public IReadOnlyDictionary<PlannedStorage, uint> Write(string path, bool preallocate, bool flush)
    {
        using var file = File.OpenHandle(
            path, FileMode.CreateNew, FileAccess.Write, FileShare.None, preallocationSize: preallocate ? _layout.Length : 0);

        // The largest first, so that at the end no thread is left alone with one of them.
        var order = Enumerable.Range(0, _layout.Items.Count).OrderByDescending(index => _layout.Items[index].Record.Length).ToArray();

        _workers.Run(order, _layout.Length >= MinParallel, index => WriteRecord(file, index));
        WriteDirectory(file);

        if (flush)
        {
            RandomAccess.FlushToDisk(file);
        }

        return _layout.Items.Zip(_checksums).Where(pair => pair.First.Storage is not null).ToDictionary(pair => pair.First.Storage!, pair => pair.Second);
    }

    private void WriteRecord(SafeFileHandle file, int index)
    {
        var (record, content, storage) = _layout.Items[index];
        uint crc;

        if (storage is not null)
        {
            crc = _copy(storage, new StorageTarget(file, record.DataOffset, _workers.Done));
        }
        else
        {
            crc = Crc32Of(content);
            RandomAccess.Write(file, content, record.DataOffset);
        }

        RandomAccess.Write(file, record.LocalHeader(crc), record.HeaderOffset);
        _checksums[index] = crc;
    }

    private void WriteDirectory(SafeFileHandle file)
    {
        var directory = new MemoryStream();

        foreach (var (item, crc) in _layout.Items.Zip(_checksums))
        {
            directory.Write(item.Record.CentralHeader(crc));
        }

        directory.Write(ZipRecord.DirectoryEnd(_layout.DirectoryOffset, _layout.DirectoryLength, _layout.Items.Count));
        RandomAccess.Write(file, directory.GetBuffer().AsSpan(0, (int)directory.Length), _layout.DirectoryOffset);
    }

    private static uint Crc32Of(ReadOnlySpan<byte> content)
    {
        var crc = ThirdParty.CreateCrc32();
        crc.Append(content);
        return crc.GetAndReset();
    }
}
