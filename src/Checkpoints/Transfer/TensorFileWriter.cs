using Fairseq2Llama.Containers;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

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
    private readonly Action<IEnumerable<PlannedStorage>> _expect;
    private readonly Workers _workers;
    private readonly uint[] _checksums;

    /// <param name="layout">What to write.</param>
    /// <param name="copy">Gives the data.</param>
    /// <param name="expect">Told what will be read, in that order.</param>
    /// <param name="workers">Told how many bytes are written.</param>
    public TensorFileWriter(TensorFileLayout layout, StorageCopy copy, Action<IEnumerable<PlannedStorage>> expect, Workers workers)
    {
        _layout = layout;
        _copy = copy;
        _expect = expect;
        _workers = workers;
        _checksums = new uint[layout.Storages.Count];
    }

    /// <param name="file">Where; completed in the end.</param>
    /// <returns>The CRC-32 of each storage.</returns>
    public IReadOnlyDictionary<PlannedStorage, uint> Write(IFileSink file)
    {
        Write(file, _layout.Head);
        var order = OrderFor(file);
        _expect(order.Select(index => _layout.Storages[index].Storage).Where(storage => storage.UnchangedInput is not { } input || !file.CanShare(input.Source)));
        _workers.Run(order, _layout.Length >= MinParallel && !file.IsSequential, (index, cancellationToken) => WriteStorage(file, index, cancellationToken));
        Write(file, _layout.Tail(_checksums));
        file.Complete();

        return _layout.Storages.Zip(_checksums).ToDictionary(pair => pair.First.Storage, pair => pair.Second);
    }

    /// <summary>The largest first, so that at the end no thread is left alone with one of them.</summary>
    private int[] OrderFor(IFileSink file) =>
    [
        .. Enumerable.Range(0, _layout.Storages.Count)
            .OrderByDescending(index => file.PrefersOrder ? -_layout.Storages[index].Offset : _layout.Storages[index].Storage.Length),
    ];

    private void WriteStorage(IFileSink file, int index, CancellationToken cancellationToken)
    {
        var (storage, offset) = _layout.Storages[index];
        var crc = _copy(storage, new StorageTarget(file, offset, _workers.Done), cancellationToken);

        _checksums[index] = crc;
        Write(file, _layout.FootOf(index, crc));
    }

    private static void Write(IFileSink file, IEnumerable<FramePiece> pieces)
    {
        foreach (var (offset, bytes) in pieces)
        {
            file.Write(bytes.Span, offset);
        }
    }
}
