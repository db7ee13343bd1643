using Fairseq2Llama.Sources;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Writing;

namespace Fairseq2Llama.SafeTensors.Writing;

/// <summary>A safetensors file as PyTorch models have it. In this format tensors share no bytes, and there are no checksums.</summary>
internal sealed class SafeTensorsContainer : ITensorContainer
{
    public bool HasSharedStorages => false;

    public bool HasChecksums => false;

    /// <summary>
    /// As the format's reference implementation orders them, so that each lies at a multiple of its element size: types with larger elements first (by
    /// its list of types), and then by name.
    /// </summary>
    public IEnumerable<PlannedTensor> Order(IEnumerable<PlannedTensor> tensors) =>
        tensors.OrderByDescending(tensor => DTypeInfo.Of(tensor.DType).SafeTensorsRank).ThenBy(tensor => tensor.Name, StringComparer.Ordinal);

    public TensorFileLayout LayOut(string fileName, IReadOnlyList<PlannedTensor> tensors) => new SafeTensorsLayout(tensors);

    public IReadOnlyList<KeyValuePair<string, TorchTensor>> Read(IByteSource source) =>
        [.. SafeTensorsFile.Open(source).Tensors.Select(entry => KeyValuePair.Create(entry.Name, entry.Tensor))];
}
