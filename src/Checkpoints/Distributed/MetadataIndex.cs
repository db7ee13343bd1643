using System.Runtime.InteropServices;
using Fairseq2Llama.Distributed.Metadata;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Distributed;

/// <summary>The index of a checkpoint with metadata in files of its own, which lists the chunks of each tensor, and where each of them lies.</summary>
internal sealed class MetadataIndex : DistributedIndex
{
    private static readonly Comparer<(long[] Offsets, SavedItem Item)> ByOffsets =
        Comparer<(long[] Offsets, SavedItem Item)>.Create((left, right) => left.Offsets.AsSpan().SequenceCompareTo(right.Offsets));

    private readonly ICheckpointFolder _folder;
    private readonly string _metadata;
    private readonly Dictionary<string, SavedTensor> _tensors = new(StringComparer.Ordinal);
    private readonly HashSet<DataFile> _cutOff = [];
    private readonly Dictionary<string, DataFile?> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<(DataFile File, long Origin), ShardHeader> _headers = [];
    private readonly IReadOnlyList<SavedMetadata> _parts;

    /// <param name="folder">The folder with the files.</param>
    /// <param name="metadata">The name of the metadata, for messages.</param>
    /// <param name="parts">The metadata; where each rank has its own, all of it.</param>
    /// <exception cref="CheckpointException">It is malformed.</exception>
    public MetadataIndex(ICheckpointFolder folder, string metadata, IReadOnlyList<SavedMetadata> parts)
    {
        (_folder, _metadata, _parts) = (folder, metadata, parts);

        foreach (var (key, value) in parts.SelectMany(part => part.Tensors.Entries))
        {
            var name = key as string ?? throw Corrupt("it has a name that is not text.");
            TensorLimits.RequirePrintable(name, metadata);

            if (value is SavedTensor tensor)
            {
                _tensors[name] = _tensors.TryGetValue(name, out var other) ? other.Join(tensor) : tensor;
            }
            else if (value is not SavedBytes)
            {
                throw Corrupt($"it does not say what '{name}' is.");
            }
        }
    }

    public override IEnumerable<string> Names => _tensors.Keys;

    public override IEnumerable<DataFile> Files => _files.Values.OfType<DataFile>();

    public override IReadOnlyList<DistributedTensor> Find(IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        var items = FindItems(names, cancellationToken);
        var tensors = new List<DistributedTensor>(names.Count);
        var findings = new List<CheckpointFinding>();

        foreach (var name in names)
        {
            cancellationToken.ThrowIfCancellationRequested();
            tensors.Add(MakeTensor(name, _tensors[name], CollectionsMarshal.AsSpan(items[name]), findings, cancellationToken));
        }

        findings.AddRange(
            from file in _files
            where file.Value is null
            select new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.MissingShard, $"'{file.Key}' is missing", File: _folder.PathOf(file.Key)));

        CheckpointException.ThrowIfAny(
            findings,
            $"'{_folder.Path}' is not what its {System.IO.Path.GetFileName(_metadata)} says",
            "Copy the checkpoint again from where the model was trained, or save it again.");

        return tensors;
    }

    /// <summary>Where the chunks of tensors lie, by the names of the tensors, then by the offsets of the chunks.</summary>
    private Dictionary<string, List<(long[] Offsets, SavedItem Item)>> FindItems(IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, List<(long[] Offsets, SavedItem Item)>>(names.Count, StringComparer.Ordinal);

        foreach (var name in names)
        {
            found[name] = new(_tensors[name].Chunks.Count);
        }

        foreach (var part in _parts)
        {
            foreach (var (key, value) in part.Items.Span)
            {
                if (key is not SavedKey { Name: { } name, Offsets: var offsets } || value is not SavedItem { File: not null } item)
                {
                    throw Corrupt("it has a place of data that it does not describe.");
                }

                if (offsets is not null && found.TryGetValue(name, out var items))
                {
                    items.Add((offsets, item));
                }
            }

            cancellationToken.ThrowIfCancellationRequested();
        }

        foreach (var items in found.Values)
        {
            Sort(items);
        }

        return found;
    }

    /// <summary>Ranks usually come in the order of what they saved.</summary>
    private static void Sort(List<(long[] Offsets, SavedItem Item)> items)
    {
        for (var i = 1; i < items.Count; i++)
        {
            if (ByOffsets.Compare(items[i - 1], items[i]) > 0)
            {
                items.Sort(ByOffsets);
                return;
            }
        }
    }

    private DistributedTensor MakeTensor(string name, SavedTensor saved, ReadOnlySpan<(long[] Offsets, SavedItem Item)> items, List<CheckpointFinding> findings, CancellationToken cancellationToken)
    {
        var shape = ShapeOf(name, saved.Size ?? throw Corrupt($"it does not say which shape '{name}' has."), _metadata);
        var dtype = saved.DType ?? throw new CheckpointException(
            CheckpointErrorCode.UnsupportedTensor,
            $"'{name}' in '{_metadata}' is {saved.DTypeName ?? "of no type"}, which no weight of a LLaMA is. Save the checkpoint again with its weights in another type.",
            _metadata);
        var chunks = new List<DistributedChunk>(saved.Chunks.Count);

        foreach (var chunk in saved.Chunks)
        {
            if (chunk is not SavedChunk { Offsets: { } offsets, Sizes: { } sizes })
            {
                throw Corrupt($"it does not describe a part of '{name}'.");
            }

            if (sizes.AsSpan().Contains(0))
            {
                continue;
            }

            var place = chunks.Count < items.Length && items[chunks.Count].Offsets.AsSpan().SequenceEqual(offsets) ? chunks.Count : items.BinarySearch((offsets, null!), ByOffsets);

            if (place < 0)
            {
                findings.Add(Fault(name, $"has a part at ({string.Join(", ", offsets)}) of which '{_metadata}' does not say where it is"));
                break;
            }

            var item = items[place].Item;

            if (FileOf(item) is { } file && IsWithin(file, item, name, findings))
            {
                chunks.Add(IsSafeTensors(item, dtype, sizes)
                    ? HeaderOf(file, item.Offset, cancellationToken).Find(name, dtype, offsets, sizes)
                    : new DistributedChunk(offsets, sizes, file, new ByteRange(item.Offset, item.Length)));
            }
        }

        var tensor = DistributedTensor.Of(name, dtype, shape, chunks);

        if (!_files.ContainsValue(null) && findings.Count == 0 && ChunkTiling.FindFault(tensor.Chunks.AsSpan(), shape) is { } fault)
        {
            findings.Add(Fault(name, fault));
        }

        return tensor;
    }

    /// <summary>The file that an item is in; null where it is missing.</summary>
    private DataFile? FileOf(SavedItem item)
    {
        if (item.IsTransformed)
        {
            throw new CheckpointException(
                CheckpointErrorCode.UnsupportedTensor,
                $"The data of '{_folder.Path}' was transformed by an extension while it was saved, such as compressed. Load the checkpoint with PyTorch, and save it"
                    + " again without extensions.",
                _folder.Path);
        }

        if (_files.TryGetValue(item.File!, out var known))
        {
            return known;
        }

        if (!item.File!.Split('/').All(StoredFile.IsName))
        {
            throw Corrupt($"it names the file '{item.File}', which is not a path below the folder.");
        }

        var stored = StoredFile.Below(_folder, item.File);
        return _files[item.File] = stored.Exists ? new DataFile(stored, stored.Source) : null;
    }

    /// <summary>
    /// Whether an item has no place of its own. For the serialization as safetensors, PyTorch writes all tensors of a file as one, where the first begins, and as
    /// the length of each that of its elements; what torch.save writes is always longer.
    /// </summary>
    private static bool IsSafeTensors(SavedItem item, DType dtype, long[] sizes) => item.Length == sizes.Aggregate((Int128)dtype.GetItemSize(), (product, size) => product * size);

    private ShardHeader HeaderOf(DataFile file, long origin, CancellationToken cancellationToken) =>
        _headers.TryGetValue((file, origin), out var known) ? known : _headers[(file, origin)] = ShardHeader.Open(file, origin, cancellationToken);

    /// <summary>Whether an item lies in its file; if not, that is a finding.</summary>
    private bool IsWithin(DataFile file, SavedItem item, string name, List<CheckpointFinding> findings)
    {
        if (item.Offset <= file.Source.Length && item.Length <= file.Source.Length - item.Offset)
        {
            return true;
        }

        // One of the parts that it lacks says as much as all of them.
        if (_cutOff.Add(file))
        {
            findings.Add(new CheckpointFinding(
                FindingSeverity.Error,
                CheckpointErrorCode.CheckpointCorrupt,
                $"'{file.Stored.Path}' is {file.Source.Length} bytes long, but a part of '{name}' should be {item.Length} bytes at byte {item.Offset}: the file was"
                    + " cut off while it was written or copied",
                name,
                file.Stored.Path));
        }

        return false;
    }

    private CheckpointFinding Fault(string tensor, string what) =>
        new(FindingSeverity.Error, CheckpointErrorCode.CheckpointCorrupt, $"'{tensor}' {what}", tensor, _metadata);

    private CheckpointException Corrupt(string what) => CheckpointException.Corrupt(_metadata, what);
}
