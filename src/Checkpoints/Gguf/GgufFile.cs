using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Gguf;

/// <summary>
/// The index of a GGUF file (version 2 or 3, little-endian): its metadata, its tensors, and where the bytes of each lie. Opening one reads the header,
/// never tensor data. It refuses what ggml's gguf.cpp refuses, among that tensors that do not follow each other without gaps.
/// </summary>
internal sealed class GgufFile
{
    public const string Extension = ".gguf";

    /// <summary>ggml's default, which files leave out: tensors begin at multiples of it.</summary>
    public const int DefaultAlignment = 32;

    /// <summary>As ggml's gguf.h: "GGUF".</summary>
    public const uint Magic = 0x46554747;

    /// <summary>The version that is written.</summary>
    public const uint Version = 3;

    /// <summary>Of a tensor's description: a name of one byte, no dims.</summary>
    private const int MinTensorSize = 8 + 1 + 4 + 4 + 8;

    /// <summary>GGML_MAX_DIMS.</summary>
    private const int MaxDims = 4;

    private const int MaxAlignment = 1 << 20;

    private GgufFile(IByteSource source, GgufMetadata metadata, IReadOnlyList<KeyValuePair<string, TensorView>> tensors)
    {
        Source = source;
        Metadata = metadata;
        Tensors = tensors;
    }

    public IByteSource Source { get; }

    public GgufMetadata Metadata { get; }

    /// <summary>By their names, in their order.</summary>
    public IReadOnlyList<KeyValuePair<string, TensorView>> Tensors { get; }

    /// <exception cref="CheckpointException">It is not a GGUF file, is damaged, or holds a tensor of a type that is not read.</exception>
    public static GgufFile Open(IByteSource source, CancellationToken cancellationToken = default)
    {
        // Pipes and devices have no length either, and opening one could wait for ever.
        if (source.Length == 0)
        {
            throw Unrecognized(source, "is empty");
        }

        using var reader = source.Open(cancellationToken);
        var header = new HeaderReader(reader, source.Name, source.Length, cancellationToken);
        RequireVersion(header, source);

        var tensorCount = header.ReadCount(MinTensorSize, "tensors");
        var metadata = GgufMetadata.Read(header, header.ReadCount(sizeof(ulong) + sizeof(uint) + 1, "keys"));
        var alignment = metadata.Integer(MetadataKeys.Alignment) ?? DefaultAlignment;

        if (alignment is < 1 or > MaxAlignment || !int.IsPow2(alignment))
        {
            throw CheckpointException.Corrupt(source.Name, $"it says that its data is aligned to {alignment} bytes, which is no power of two up to {MaxAlignment}.");
        }

        var infos = new List<TensorInfo>();
        var names = new HashSet<string>(StringComparer.Ordinal);

        for (var i = 0L; i < tensorCount; i++)
        {
            var info = TensorInfo.Read(header, MaxDims);
            infos.Add(names.Add(info.Name) ? info : throw CheckpointException.Corrupt(source.Name, $"it has two tensors that are called '{info.Name}'."));
        }

        return new GgufFile(source, metadata, [.. Place(source, infos, Pad(header.Position, alignment), alignment)]);
    }

    /// <summary>The next multiple of an alignment.</summary>
    public static long Pad(long offset, int alignment) => (offset + alignment - 1) / alignment * alignment;

    private static void RequireVersion(HeaderReader header, IByteSource source)
    {
        if (source.Length < 2 * sizeof(uint) || header.ReadUInt32() != Magic)
        {
            throw Unrecognized(source, "does not begin with 'GGUF'");
        }

        var version = header.ReadUInt32();

        if (version is not (2 or 3))
        {
            throw Unrecognized(
                source,
                (version & 0xffff) == 0 ? "was written for a big-endian machine" : $"is a GGUF file of version {version}, and only versions 2 and 3 are read");
        }
    }

    private static IEnumerable<KeyValuePair<string, TensorView>> Place(IByteSource source, List<TensorInfo> infos, long dataOffset, int alignment)
    {
        var end = 0L;
        var expected = 0L;

        foreach (var info in infos)
        {
            if (info.Offset != (ulong)expected)
            {
                throw CheckpointException.Corrupt(source.Name, $"the data of '{info.Name}' begins at {info.Offset}, and should begin at {expected}, after the tensor before it.");
            }

            var length = DTypeInfo.Of(info.DType).LengthOf(info.Shape.ElementCount);

            // So nothing can overflow: no tensor is longer than the file.
            if (length > source.Length - dataOffset - expected)
            {
                throw CheckpointException.Corrupt(
                    source.Name, $"'{info.Name}' takes {length} bytes and {Math.Max(0, source.Length - dataOffset - expected)} are left: the file was cut off while being written or copied.");
            }

            var storage = new StoredBytes { Source = source, Record = info.Name, Offset = dataOffset + expected, Length = length };
            yield return new(info.Name, new TensorView(storage, info.DType, 0, info.Shape, info.Shape.RowMajorStrides()));
            end = expected + length;
            expected = Pad(end, alignment);
        }

        // gguf-py fills up the last tensor, too, which others need not do.
        if (source.Length > Math.Max(dataOffset + expected, dataOffset))
        {
            throw CheckpointException.Corrupt(source.Name, $"its tensors end at {dataOffset + end}, and the file at {source.Length}: the rest belongs to no tensor.");
        }
    }

    private static CheckpointException Unrecognized(IByteSource source, string what) =>
        new(CheckpointErrorCode.CheckpointUnrecognized, $"'{source.Name}' {what}. Expected a GGUF file of a LLaMA.", source.Name);
}
