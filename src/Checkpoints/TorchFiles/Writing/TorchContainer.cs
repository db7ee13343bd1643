using Fairseq2Llama.Containers;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.TorchFiles.Writing;

/// <summary>torch.save's zip container with a dict of contiguous tensors.</summary>
/// <param name="wrapping">The wrapping around the dict; null for none.</param>
internal sealed class TorchContainer(StateDictWrapping? wrapping = null) : ITensorContainer
{
    public bool HasSharedStorages => true;

    public bool HasChecksums => true;

    public IEnumerable<PlannedTensor> Order(IEnumerable<PlannedTensor> tensors) => tensors;

    public TensorFileLayout LayOut(string fileName, IReadOnlyList<PlannedTensor> tensors) => new TorchFileLayout(fileName, tensors, wrapping);

    public IReadOnlyList<KeyValuePair<string, TensorView>> Read(IByteSource source)
    {
        var file = TorchFile.Open(source);

        return file.Facts.IsPickleChecksumValid
            ? [.. StateDict.In(file).Entries.Select(entry => KeyValuePair.Create(entry.RawName, entry.Tensor))]
            : throw CheckpointException.Corrupt(source.Name, "its pickle does not match its checksum.");
    }
}
