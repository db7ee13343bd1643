using Fairseq2Llama.Containers;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Gguf.Writing;

/// <summary>A GGUF file. Tensors come in the order in which they are given; they share no bytes, and there are no checksums.</summary>
/// <param name="metadata">What the file says beside them.</param>
internal sealed class GgufContainer(MetadataWriter metadata) : ITensorContainer
{
    public bool HasSharedStorages => false;

    public bool HasChecksums => false;

    public IEnumerable<PlannedTensor> Order(IEnumerable<PlannedTensor> tensors) => tensors;

    public TensorFileLayout LayOut(string fileName, IReadOnlyList<PlannedTensor> tensors) => new GgufLayout(metadata, tensors);

    public IReadOnlyList<KeyValuePair<string, TensorView>> Read(IByteSource source) => GgufFile.Open(source).Tensors;
}
