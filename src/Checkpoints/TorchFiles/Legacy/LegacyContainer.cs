using System.Buffers.Binary;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.TorchFiles.Legacy;

/// <summary>
/// The container that torch.save wrote before PyTorch 1.6, and writes still with _use_new_zipfile_serialization=False: five
/// pickles in a row (magic number, protocol version, system information, the object, the storages' keys), then for each
/// key the number of elements and their bytes. It has no checksums.
/// </summary>
internal sealed class LegacyContainer
{
    private const long ProtocolVersion = 1001;

    private static readonly Int128 MagicNumber = Int128.Parse("119547037146038801333356", System.Globalization.CultureInfo.InvariantCulture);

    private readonly IByteSource _source;
    private readonly Dictionary<string, long> _offsets = new(StringComparer.Ordinal);

    private LegacyContainer(IByteSource source, IByteReader reader, CancellationToken cancellationToken)
    {
        _source = source;

        var bytes = new PickleBytes(source, reader);
        var budget = new PickleBudget(source.Name);

        if (Next().Content is not Int128 magic || magic != MagicNumber)
        {
            throw TorchFile.Unrecognized(source, "is a plain pickle, not one written by torch.save");
        }

        if (Next().Content is not ProtocolVersion)
        {
            throw Corrupt("its protocol version is not 1001.");
        }

        // The system information says which byte order the machine had, but data is always little-endian (PyTorch's writeFileRaw).
        _ = Next();
        Unpickled = Next();
        LocateStorages(reader, Next().Content, bytes.Position);

        Unpickled Next() => Unpickled.Read(bytes, budget, cancellationToken);
    }

    public Unpickled Unpickled { get; }

    public static LegacyContainer Open(IByteSource source, IByteReader reader, CancellationToken cancellationToken) =>
        new(source, reader, cancellationToken);

    public StoredBytes Locate(PickledStorage storage) => new()
    {
        Source = _source,
        Record = storage.Key,
        Offset = _offsets.TryGetValue(storage.Key, out var offset) ? offset : throw Corrupt($"the storage '{storage.Key}' is missing."),
        Length = storage.Length,
    };

    private void LocateStorages(IByteReader reader, object? keys, long start)
    {
        if (keys is not PickleList list)
        {
            throw Corrupt("it lacks the list of its storages.");
        }

        var storages = Unpickled.Storages.ToDictionary(storage => storage.Key, StringComparer.Ordinal);
        reader.Expect(FindCounts(list, storages, start));
        var offset = start;
        Span<byte> count = stackalloc byte[sizeof(long)];

        foreach (var item in list.Items)
        {
            if (item is not string key || !storages.TryGetValue(key, out var storage) || !_offsets.TryAdd(key, offset + count.Length))
            {
                throw Corrupt("its list of storages names one that is not in the file.");
            }

            reader.Read(offset, count);

            if (BinaryPrimitives.ReadInt64LittleEndian(count) != storage.Length / storage.ItemSize || storage.Length > _source.Length - offset - count.Length)
            {
                throw Corrupt($"the storage '{key}' should hold {storage.Length / storage.ItemSize} elements at byte {offset}, but does not.");
            }

            offset += count.Length + storage.Length;
        }
    }

    /// <summary>Where the numbers of elements should be, as far as the file goes.</summary>
    private List<ByteRange> FindCounts(PickleList keys, Dictionary<string, PickledStorage> storages, long start)
    {
        var counts = new List<ByteRange>();
        var offset = start;

        foreach (var item in keys.Items)
        {
            if (item is not string key || !storages.TryGetValue(key, out var storage) || offset > _source.Length)
            {
                break;
            }

            counts.Add(new ByteRange(offset, sizeof(long)));
            offset += sizeof(long) + storage.Length;
        }

        return counts;
    }

    private CheckpointException Corrupt(string what) => CheckpointException.Corrupt(_source.Name, what);
}
