using System.Buffers;
using System.Text;
using Fairseq2Llama.Containers;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Gguf.Writing;

/// <summary>A GGUF file to be written, as gguf-py's GGUFWriter does: the metadata, a description of each tensor, and the data, each tensor filled up with zeros.</summary>
internal sealed class GgufLayout : TensorFileLayout
{
    /// <summary>Bytes of a name; ggml has room for a zero behind it (GGML_MAX_NAME).</summary>
    private const int MaxNameLength = 63;

    /// <summary>As much as keys and tensors mostly take, so that a vocabulary is not copied again and again while the header grows.</summary>
    private const int InitialRoom = 64 << 10;

    private readonly List<FramePiece> _head = [];

    /// <param name="metadata">What the file says beside its tensors.</param>
    /// <param name="tensors">What it will hold, in its order.</param>
    /// <exception cref="CheckpointException">There is a tensor that such files can't hold.</exception>
    public GgufLayout(MetadataWriter metadata, IReadOnlyList<PlannedTensor> tensors)
    {
        var header = new ArrayBufferWriter<byte>(metadata.Length + InitialRoom);
        MetadataWriter.WriteUInt32(header, GgufFile.Magic);
        MetadataWriter.WriteUInt32(header, GgufFile.Version);
        MetadataWriter.WriteUInt64(header, (ulong)tensors.Count);
        MetadataWriter.WriteUInt64(header, (ulong)metadata.Count);
        metadata.WriteTo(header);
        var offset = 0L;

        foreach (var tensor in tensors)
        {
            WriteInfo(header, tensor, offset);
            offset = GgufFile.Pad(offset + tensor.Storage.Length, GgufFile.DefaultAlignment);
        }

        _head.Add(new FramePiece(0, header.WrittenMemory));
        var storages = new List<PlacedStorage>();
        var end = Fill(header.WrittenCount);

        foreach (var tensor in tensors)
        {
            storages.Add(new PlacedStorage(tensor.Storage, end));
            end = Fill(end + tensor.Storage.Length);
        }

        Storages = storages;
        Length = end;
    }

    public override IReadOnlyList<PlacedStorage> Storages { get; }

    public override long Length { get; }

    public override IEnumerable<FramePiece> Head => _head;

    /// <summary>Fills up with zeros: a store does not leave holes in an object.</summary>
    private long Fill(long offset)
    {
        var end = GgufFile.Pad(offset, GgufFile.DefaultAlignment);

        if (end > offset)
        {
            _head.Add(new FramePiece(offset, new byte[end - offset]));
        }

        return end;
    }

    private static void WriteInfo(ArrayBufferWriter<byte> header, PlannedTensor tensor, long offset)
    {
        if (Encoding.UTF8.GetByteCount(tensor.Name) > MaxNameLength)
        {
            throw new CheckpointException(
                CheckpointErrorCode.UnsupportedTensor,
                $"'{tensor.SourceName}' would be named '{tensor.Name}', which is longer than the {MaxNameLength} bytes that ggml allows. Filter it out.",
                tensor.SourceName);
        }

        MetadataWriter.WriteText(header, tensor.Name);
        MetadataWriter.WriteUInt32(header, (uint)tensor.Shape.Count);

        foreach (var size in tensor.Shape.Sizes.Reverse())
        {
            MetadataWriter.WriteUInt64(header, (ulong)size);
        }

        MetadataWriter.WriteUInt32(header, DTypeInfo.Of(tensor.DType).GgmlType ?? throw new CheckpointException(
            CheckpointErrorCode.UnsupportedTensor, $"'{tensor.SourceName}' is {tensor.DType.GetTorchName()}, which GGUF files of a LLaMA do not hold. Filter it out.", tensor.SourceName));
        MetadataWriter.WriteUInt64(header, (ulong)offset);
    }
}
