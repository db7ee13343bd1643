using System.Text.Json;
using Fairseq2Llama.SafeTensors;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Distributed;

/// <summary>
/// The header of a safetensors file that is a part of a distributed checkpoint: its metadata says in <c>DCP_SHARDING_INFO</c> where in its tensor each entry
/// begins (torch/distributed/checkpoint/filesystem.py and _hf_utils.py, PyTorch 2.8 and newer). In a <c>.distcp</c> file, saved objects can come before it.
/// </summary>
internal sealed class ShardHeader
{
    private const string InfoKey = "DCP_SHARDING_INFO", OffsetsKey = "saved_offsets", NameKey = "logical_fqn";

    private readonly Dictionary<string, List<DistributedChunk>> _chunks = new(StringComparer.Ordinal);

    private ShardHeader(DataFile file, long origin, SafeTensorsFile content)
    {
        File = file;
        Info info = content.Metadata.TryGetValue(InfoKey, out var text) ? Parse(text) : new Info([], IsKnown: false);

        foreach (var entry in content.Tensors)
        {
            var (name, offsets) = info.Of(entry, this);
            var sizes = entry.Tensor.Shape.Sizes.ToArray();
            var storage = new StoredBytes { Source = file.Source, Record = entry.Name, Offset = origin + entry.Tensor.Storage.Offset, Length = entry.Tensor.Storage.Length };
            var chunk = new DistributedChunk(offsets, sizes, file, new ByteRange(storage.Offset, storage.Length)) { View = entry.Tensor with { Storage = storage } };

            (_chunks.TryGetValue(name, out var known) ? known : _chunks[name] = []).Add(chunk);
        }
    }

    /// <summary>The file.</summary>
    public DataFile File { get; }

    /// <summary>Its chunks, by the names of their tensors.</summary>
    public IReadOnlyDictionary<string, List<DistributedChunk>> Chunks => _chunks;

    /// <param name="file">The file.</param>
    /// <param name="origin">Where in it the safetensors file begins, which goes on to its end.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">It is no such file, or is damaged.</exception>
    public static ShardHeader Open(DataFile file, long origin, CancellationToken cancellationToken)
    {
        using var reader = file.Source.Open(cancellationToken);
        var content = new SourceRange(file.Source.Name, reader, new ByteRange(origin, file.Source.Length - origin));
        return new ShardHeader(file, origin, SafeTensorsFile.Open(content, cancellationToken));
    }

    /// <summary>A chunk that other metadata says is in the file.</summary>
    /// <exception cref="CheckpointException">It is not, or is another.</exception>
    public DistributedChunk Find(string name, DType dtype, long[] offsets, long[] sizes)
    {
        foreach (var chunk in _chunks.GetValueOrDefault(name) ?? [])
        {
            if (chunk.Offsets.AsSpan().SequenceEqual(offsets))
            {
                return chunk.Sizes.AsSpan().SequenceEqual(sizes) && chunk.View!.DType == dtype ? chunk : throw Corrupt($"its part of '{name}' is another than the metadata says.");
            }
        }

        // Where a rank has several parts of a tensor, PyTorch saves them under one name, so that only the last is left.
        throw Corrupt($"it lacks the part of '{name}' at ({string.Join(", ", offsets)}).");
    }

    private CheckpointException Corrupt(string what) => CheckpointException.Corrupt(File.Source.Name, what);

    private Info Parse(string text)
    {
        try
        {
            return new Info(JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(text) ?? throw Malformed(), IsKnown: true);
        }
        catch (JsonException)
        {
            throw Malformed();
        }
    }

    private CheckpointException Malformed() => Corrupt($"the '{InfoKey}' of its header is malformed.");

    private sealed record Info(Dictionary<string, JsonElement> Entries, bool IsKnown)
    {
        /// <summary>A file without it holds whole tensors.</summary>
        public (string Name, long[] Offsets) Of(SafeTensorsEntry entry, ShardHeader header)
        {
            if (!IsKnown)
            {
                return (entry.Name, new long[entry.Tensor.Shape.Count]);
            }

            if (!Entries.TryGetValue(entry.Name, out var info) || info.ValueKind != JsonValueKind.Object
                || !info.TryGetProperty(OffsetsKey, out var offsets) || offsets.ValueKind != JsonValueKind.Array)
            {
                throw header.Malformed();
            }

            long[] numbers = [.. offsets.EnumerateArray().Select(offset => offset.ValueKind == JsonValueKind.Number && offset.TryGetInt64(out var number) && number >= 0 ? number : throw header.Malformed())];
            var name = info.TryGetProperty(NameKey, out var logical) ? logical.ValueKind == JsonValueKind.String ? logical.GetString()! : throw header.Malformed() : entry.Name;
            TensorLimits.RequirePrintable(name, header.File.Source.Name);
            return (name, numbers.Length == entry.Tensor.Shape.Count ? numbers : throw header.Malformed());
        }
    }
}
