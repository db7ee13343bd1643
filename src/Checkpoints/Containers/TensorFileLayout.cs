using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Containers;

/// <summary>Where everything lies in a file of tensors to be written, known to the byte before anything is.</summary>
internal abstract class TensorFileLayout
{
    /// <summary>Where the data of tensors lies.</summary>
    public abstract IReadOnlyList<PlacedStorage> Storages { get; }

    /// <summary>Bytes of the whole file.</summary>
    public abstract long Length { get; }

    /// <summary>All that is no tensor data: headers, directories, names.</summary>
    /// <param name="checksums">The CRC-32 of each storage, for containers that have such.</param>
    public abstract IEnumerable<FramePiece> Frame(IReadOnlyDictionary<PlannedStorage, uint> checksums);
}

/// <summary>A storage and where in the file it begins.</summary>
internal readonly record struct PlacedStorage(PlannedStorage Storage, long Offset)
{
    /// <summary>Whether it may share blocks with its input, which takes the same place within a block there.</summary>
    public bool MayShareBlocks => Storage.IsShareable && (Storage.UnchangedInput!.Offset - Offset) % BlockSharing.BlockSize == 0;
}

/// <summary>Bytes and where in the file they begin.</summary>
internal readonly record struct FramePiece(long Offset, ReadOnlyMemory<byte> Bytes);
