using Fairseq2Llama.Containers;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Planning;

/// <summary>A file of tensors that a conversion will write.</summary>
internal sealed class PlannedTensorFile : PlannedFile
{
    /// <exception cref="CheckpointException">There is a tensor that such files can't hold.</exception>
    public PlannedTensorFile(string name, ITensorContainer container, IEnumerable<PlannedTensor> tensors)
        : base(name)
    {
        Container = container;
        Tensors = [.. container.Order(tensors)];
        Layout = container.LayOut(name, Tensors);
    }

    /// <summary>What holds them.</summary>
    public ITensorContainer Container { get; }

    /// <summary>In the order in which the file has them.</summary>
    public IReadOnlyList<PlannedTensor> Tensors { get; }

    /// <summary>Where everything will lie.</summary>
    public TensorFileLayout Layout { get; }

    public override long Length => Layout.Length;

    public override string Summary => Tensors.FirstOrDefault(tensor => tensor.Storage.IsCast) is { } cast
        ? $"{Tensors.Count} tensors, cast to {cast.DType.GetTorchName()}"
        : $"{Tensors.Count} tensors";

    internal override WritePhase Phase => WritePhase.Weights;

    internal override long WorkFor(VerificationPolicy verification) => verification.ReadsBack ? 2 * Length : Length;

    internal override void Write(string path, WriteContext context)
    {
        var (copier, verification, flush, _, _) = context;
        var preallocate = !Layout.Storages.Any(placed => placed.MayShareBlocks && copier.CanShare(placed.Storage));
        var checksums = new TensorFileWriter(Layout, copier.Write, context.MakeWorkers()).Write(path, preallocate, flush);

        new WrittenFileCheck(this, path, checksums, context.MakeWorkers()).Run(verification.ReadsBack);
    }
}
