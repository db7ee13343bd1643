using System.Buffers.Binary;
using Fairseq2Llama.Containers;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.SafeTensors.Writing;

/// <summary>A safetensors file to be written: the length of the header, the header, and one tensor right after the other.</summary>
internal sealed class SafeTensorsLayout : TensorFileLayout
{
    private readonly byte[] _head;

    /// <param name="metadata">Text under free keys.</param>
    /// <param name="tensors">What the file will hold, in its order.</param>
    /// <exception cref="CheckpointException">The format has no name for the type of one.</exception>
    public SafeTensorsLayout(IReadOnlyDictionary<string, string> metadata, IReadOnlyList<PlannedTensor> tensors)
    {
        var header = HeaderWriter.Write(metadata, tensors);
        _head = new byte[HeaderText.LengthSize + header.Length];
        BinaryPrimitives.WriteInt64LittleEndian(_head, header.Length);
        header.CopyTo(_head.AsSpan(HeaderText.LengthSize));

        var storages = new List<PlacedStorage>();
        var offset = (long)_head.Length;

        foreach (var tensor in tensors)
        {
            storages.Add(new PlacedStorage(tensor.Storage, offset));
            offset += tensor.Storage.Length;
        }

        Storages = storages;
        Length = offset;
    }

    public override IReadOnlyList<PlacedStorage> Storages { get; }

    public override long Length { get; }

    public override IEnumerable<FramePiece> Head => [new FramePiece(0, _head)];
}
