using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Containers;

/// <summary>A kind of file that holds named tensors: how one is laid out, and what a reader finds in it.</summary>
internal interface ITensorContainer
{
    /// <summary>Whether two tensors can be one storage, as tied weights are.</summary>
    bool HasSharedStorages { get; }

    /// <summary>Whether the file says what the CRC-32 of each storage is.</summary>
    bool HasChecksums { get; }

    /// <summary>Tensors in the order in which files of this kind have them.</summary>
    IEnumerable<PlannedTensor> Order(IEnumerable<PlannedTensor> tensors);

    /// <param name="fileName">The name that the file will have.</param>
    /// <param name="tensors">What it will hold, in its order.</param>
    /// <exception cref="CheckpointException">There is a tensor that such files can't hold.</exception>
    TensorFileLayout LayOut(string fileName, IReadOnlyList<PlannedTensor> tensors);

    /// <summary>The tensors of a file that was written, with their names, in its order.</summary>
    /// <exception cref="CheckpointException">It is not such a file, or is damaged.</exception>
    IReadOnlyList<KeyValuePair<string, TensorView>> Read(IByteSource source);
}
