using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama;

/// <summary>A torch.save file that a conversion will write: a dict of contiguous tensors.</summary>
internal sealed class PlannedTorchFile : PlannedFile
{
    public PlannedTorchFile(string name, IReadOnlyList<PlannedTensor> tensors)
        : base(name)
    {
        Tensors = tensors;
        Storages = [.. tensors.Select(tensor => tensor.Storage).Distinct()];
        Layout = new TorchFileLayout(this);
    }

    /// <summary>In the order of the dict.</summary>
    public IReadOnlyList<PlannedTensor> Tensors { get; }

    /// <summary>Each once, in the order in which tensors need them.</summary>
    public IReadOnlyList<PlannedStorage> Storages { get; }

    /// <summary>Where everything will lie.</summary>
    public TorchFileLayout Layout { get; }

    public override long Length => Layout.Length;

    public override string Summary => $"{Tensors.Count} tensors";
}
