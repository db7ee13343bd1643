using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Conversion;

/// <summary>A torch.save file that a conversion will write: a dict of contiguous tensors.</summary>
internal sealed class PlannedTorchFile(string name, IReadOnlyList<PlannedTensor> tensors) : PlannedFile(name)
{
    /// <summary>In the order of the dict.</summary>
    public IReadOnlyList<PlannedTensor> Tensors => tensors;

    /// <summary>Where everything will lie.</summary>
    public TorchFileLayout Layout { get; } = new(name, tensors);

    public override long Length => Layout.Length;

    public override string Summary => tensors.FirstOrDefault(tensor => tensor.Storage.IsCast) is { } cast
        ? $"{tensors.Count} tensors, cast to {cast.DType.GetTorchName()}"
        : $"{tensors.Count} tensors";
}
