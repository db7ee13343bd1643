using Fairseq2Llama.Sources;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Zip;

namespace Fairseq2Llama.TorchFiles.Writing;

/// <summary>
/// Where everything lies in a torch.save file to be written: records in PyTorch's order, each payload at a multiple of 64 bytes as
/// PyTorch aligns them so that storages can be memory-mapped. Known to the byte before anything is written.
/// </summary>
internal sealed class TorchFileLayout
{
    private static readonly DataPlacement Aligned = new(64, 0);

    private readonly List<Item> _items = [];

    /// <param name="fileName">The file's name; PyTorch, too, names the archive's root after it.</param>
    /// <param name="tensors">What the file will hold, in the order of its dict.</param>
    public TorchFileLayout(string fileName, IReadOnlyList<PlannedTensor> tensors)
    {
        var root = Path.GetFileNameWithoutExtension(fileName) + '/';

        Storages = [.. tensors.Select(tensor => tensor.Storage).Distinct()];

        Add(root + "data.pkl", StateDictPickle.Write(tensors, Storages));
        Add(root + "byteorder", "little"u8.ToArray());

        for (var key = 0; key < Storages.Count; key++)
        {
            Add($"{root}data/{key}", Storages[key]);
        }

        Add(root + "version", "3\n"u8.ToArray());

        DirectoryOffset = _items[^1].Record.End;
        DirectoryLength = _items.Sum(item => (long)item.Record.CentralHeaderLength);
    }

    /// <summary>Each storage once, in the order in which tensors need them.</summary>
    public IReadOnlyList<PlannedStorage> Storages { get; }

    public IReadOnlyList<Item> Items => _items;

    public long DirectoryOffset { get; }

    public long DirectoryLength { get; }

    /// <summary>Bytes of the whole file.</summary>
    public long Length => DirectoryOffset + DirectoryLength + ZipFormat.Zip64EndSize + ZipFormat.Zip64LocatorSize + ZipFormat.EndSize;

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

    /// <summary>A record and what goes into it, one of the two.</summary>
    internal sealed record Item(ZipRecord Record, byte[]? Content, PlannedStorage? Storage);
}
