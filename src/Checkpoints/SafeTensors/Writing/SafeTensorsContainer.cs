using Fairseq2Llama.Containers;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.SafeTensors.Writing;

/// <summary>A safetensors file as PyTorch models have it. In this format tensors share no bytes, and there are no checksums.</summary>
/// <param name="metadata">Text under free keys that each file gets; it should have a <c>format</c>.</param>
internal sealed class SafeTensorsContainer(IReadOnlyDictionary<string, string> metadata) : ITensorContainer
{
    /// <summary>By this transformers knows that it need not look for TensorFlow's or Flax's names.</summary>
    public static readonly IReadOnlyDictionary<string, string> PyTorchMetadata = new Dictionary<string, string> { ["format"] = "pt" };

    public bool HasSharedStorages => false;

    public bool HasChecksums => false;

    /// <summary>
    /// As the format's reference implementation orders them, so that each lies at a multiple of its element size: types with larger elements first (by
    /// its list of types), and then by name.
    /// </summary>
    public IEnumerable<PlannedTensor> Order(IEnumerable<PlannedTensor> tensors) =>
        tensors.OrderByDescending(tensor => DTypeInfo.Of(tensor.DType).SafeTensorsRank).ThenBy(tensor => tensor.Name, StringComparer.Ordinal);

    public TensorFileLayout LayOut(string fileName, IReadOnlyList<PlannedTensor> tensors) => new SafeTensorsLayout(metadata, tensors);

    public IReadOnlyList<KeyValuePair<string, TensorView>> Read(IByteSource source) =>
        [.. SafeTensorsFile.Open(source).Tensors.Select(entry => KeyValuePair.Create(entry.Name, entry.Tensor))];
}
