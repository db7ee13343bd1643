using Fairseq2Llama.Containers;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Zip;

namespace Fairseq2Llama.TorchFiles.Writing;

/// <summary>
/// A torch.save file to be written: records in PyTorch's order, each payload at a multiple of 64 bytes as PyTorch aligns them so that
/// storages can be memory-mapped.
/// </summary>
internal sealed class TorchFileLayout : TensorFileLayout
{
    private static readonly DataPlacement Aligned = new(64, 0);

    private readonly List<Item> _items = [];
    private readonly ZipRecord[] _stored;
    private readonly long _directoryOffset;
    private readonly long _directoryLength;

    /// <param name="fileName">The file's name; PyTorch, too, names the archive's root after it.</param>
    /// <param name="tensors">What the file will hold, in the order of its dict.</param>
    /// <param name="wrapping">The wrapping around the dict; null for none.</param>
    public TorchFileLayout(string fileName, IReadOnlyList<PlannedTensor> tensors, StateDictWrapping? wrapping = null)
    {
        var root = Path.GetFileNameWithoutExtension(fileName) + '/';
        PlannedStorage[] storages = [.. tensors.Select(tensor => tensor.Storage).Distinct()];

        Add(root + "data.pkl", StateDictPickle.Write(tensors, storages, wrapping));
        Add(root + "byteorder", "little"u8.ToArray());

        for (var key = 0; key < storages.Length; key++)
        {
            Add($"{root}data/{key}", storages[key]);
        }

        Add(root + "version", "3\n"u8.ToArray());

        _directoryOffset = _items[^1].Record.End;
        _directoryLength = _items.Sum(item => (long)item.Record.CentralHeaderLength);
        _stored = [.. from item in _items where item.Storage is not null select item.Record];
        Storages = [.. from item in _items where item.Storage is not null select new PlacedStorage(item.Storage!, item.Record.DataOffset)];
    }

    /// <summary>Each storage once, in the order in which tensors need them.</summary>
    public override IReadOnlyList<PlacedStorage> Storages { get; }

    /// <summary>The records of the archive.</summary>
    public IReadOnlyList<Item> Items => _items;

    public override long Length => _directoryOffset + _directoryLength + ZipFormat.Zip64EndSize + ZipFormat.Zip64LocatorSize + ZipFormat.EndSize;

    public override IEnumerable<FramePiece> Head =>
        from item in _items
        from piece in (FramePiece[])
        [
            new(item.Record.HeaderOffset, item.Record.LocalHeader()),
            .. item.Content is null
                ? (FramePiece[])[]
                : [new(item.Record.DataOffset, item.Content), new(item.Record.DataEnd, item.Record.Descriptor(Crc32Of(item.Content)))],
        ]
        select piece;

    public override IEnumerable<FramePiece> FootOf(int index, uint crc) => [new(_stored[index].DataEnd, _stored[index].Descriptor(crc))];

    public override IEnumerable<FramePiece> Tail(IReadOnlyList<uint> checksums)
    {
        using var directory = new MemoryStream();
        var index = 0;

        foreach (var (record, content, _) in _items)
        {
            directory.Write(record.CentralHeader(content is null ? checksums[index++] : Crc32Of(content)));
        }

        directory.Write(ZipRecord.DirectoryEnd(_directoryOffset, _directoryLength, _items.Count));
        yield return new FramePiece(_directoryOffset, directory.ToArray());
    }

    private void Add(string name, byte[] content) => _items.Add(new Item(Place(name, content.Length, Aligned), content, null));

    private void Add(string name, PlannedStorage storage) =>
        _items.Add(new Item(Place(name, storage.Length, PlacementOf(storage)), null, storage));

    /// <summary>
    /// A large storage that goes over unchanged lies as far into a block as it does in the input, and then a file system that can share
    /// blocks need not copy it. Always, not only where it can: the same input gives the same file wherever it is written.
    /// </summary>
    private static DataPlacement PlacementOf(PlannedStorage storage) =>
        storage.IsShareable && storage.UnchangedInput is { } input && input.Offset % Aligned.Modulus == 0
            ? new DataPlacement(BlockSharing.BlockSize, (int)(input.Offset % BlockSharing.BlockSize))
            : Aligned;

    private ZipRecord Place(string name, long length, DataPlacement placement) =>
        new(name, _items.Count == 0 ? 0 : _items[^1].Record.End, length, placement);

    private static uint Crc32Of(ReadOnlySpan<byte> content)
    {
        var crc = ThirdParty.CreateCrc32();
        crc.Append(content);
        return crc.GetAndReset();
    }

    /// <summary>A record and what goes into it, one of the two.</summary>
    internal sealed record Item(ZipRecord Record, byte[]? Content, PlannedStorage? Storage);
}
