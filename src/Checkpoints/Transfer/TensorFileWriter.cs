using Fairseq2Llama.Containers;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Transfer;

/// <summary>Puts the bytes of a storage into their place; called from several threads at once.</summary>
/// <returns>Their CRC-32.</returns>
internal delegate uint StorageCopy(PlannedStorage storage, StorageTarget target, CancellationToken cancellationToken);

/// <summary>Writes a planned file of tensors. Every place in it is known beforehand; only the checksums come with the data.</summary>
internal sealed class TensorFileWriter
{
    /// <summary>Starting threads takes longer than writing a file smaller than that.</summary>
    private const long MinParallel = 64 << 20;

    private readonly TensorFileLayout _layout;
    private readonly StorageCopy _copy;
    private readonly Workers _workers;
    private readonly uint[] _checksums;

    /// <param name="layout">What to write.</param>
    /// <param name="copy">Gives the data.</param>
    /// <param name="workers">Told how many bytes are written.</param>
    public TensorFileWriter(TensorFileLayout layout, StorageCopy copy, Workers workers)
    {
        _layout = layout;
        _copy = copy;
        _workers = workers;
        _checksums = new uint[layout.Storages.Count];
    }

    /// <param name="path">Where; there must be no such file.</param>
    /// <param name="preallocate">Whether to ask for room for all of it first, which finds a full disk now rather than after an hour.</param>
    /// <param name="flush">Whether it must have reached the disk.</param>
    /// <returns>The CRC-32 of each storage.</returns>
    public IReadOnlyDictionary<PlannedStorage, uint> Write(string path, bool preallocate, bool flush)
    {
        using var file = OutputFile.Create(path, preallocate ? _layout.Length : 0);

        // The largest first, so that at the end no thread is left alone with one of them.
        var order = Enumerable.Range(0, _layout.Storages.Count).OrderByDescending(index => _layout.Storages[index].Storage.Length).ToArray();

        _workers.Run(order, _layout.Length >= MinParallel, (index, cancellationToken) => WriteStorage(file.Handle, index, cancellationToken));

        var checksums = _layout.Storages.Zip(_checksums).ToDictionary(pair => pair.First.Storage, pair => pair.Second);
        WriteFrame(file, checksums);
        file.Complete(flush);
        return checksums;
    }

    private void WriteStorage(SafeFileHandle file, int index, CancellationToken cancellationToken)
    {
        var (storage, offset) = _layout.Storages[index];
        _checksums[index] = _copy(storage, new StorageTarget(file, offset, _workers.Done), cancellationToken);
    }

    private void WriteFrame(OutputFile file, IReadOnlyDictionary<PlannedStorage, uint> checksums)
    {
        foreach (var (offset, bytes) in _layout.Frame(checksums))
        {
            file.Write(bytes.Span, offset);
        }
    }
}
