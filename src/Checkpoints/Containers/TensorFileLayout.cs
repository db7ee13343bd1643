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

    /// <summary>The parts that are not tensor data and are known in advance.</summary>
    public abstract IEnumerable<FramePiece> Head { get; }

    /// <summary>The parts that follow a storage, because they have its checksum.</summary>
    /// <param name="index">Which of the storages.</param>
    /// <param name="crc">The CRC-32 of it.</param>
    public virtual IEnumerable<FramePiece> FootOf(int index, uint crc) => [];

    /// <summary>The parts that can be written only after all storages.</summary>
    /// <param name="checksums">The CRC-32 of each.</param>
    public virtual IEnumerable<FramePiece> Tail(IReadOnlyList<uint> checksums) => [];
}

/// <summary>A storage and where in the file it begins.</summary>
internal readonly record struct PlacedStorage(PlannedStorage Storage, long Offset)
{
    /// <summary>Where it is in the input, if it could be taken over without reading it.</summary>
    public UnchangedRange? Unchanged =>
        Storage.IsShareable && Storage.UnchangedInput is { } input ? new UnchangedRange(input.Source, input.Offset, Offset, input.Length) : null;
}

/// <summary>Bytes and where in the file they begin.</summary>
internal readonly record struct FramePiece(long Offset, ReadOnlyMemory<byte> Bytes);
