using Fairseq2Llama.Containers;
using Fairseq2Llama.Stores;
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

    /// <summary>The kind of file that holds them.</summary>
    public ITensorContainer Container { get; }

    /// <summary>In the order in which the file has them.</summary>
    public IReadOnlyList<PlannedTensor> Tensors { get; }

    /// <summary>Where everything will lie.</summary>
    public TensorFileLayout Layout { get; }

    public override long Length => Layout.Length;

    public override string Summary
    {
        get
        {
            var types = Tensors.Where(tensor => tensor.Storage.IsCast).Select(tensor => tensor.DType.GetTorchName()).Distinct().ToArray();
            return $"{Quantity.Of(Tensors.Count, "tensor")}{(types.Length > 0 ? ", cast to " : "")}{string.Join(" and ", types)}";
        }
    }

    internal override WritePhase Phase => WritePhase.Weights;

    /// <summary>The ranges that could be taken from the input without reading them.</summary>
    public IReadOnlyList<UnchangedRange> Unchanged => [.. Layout.Storages.Select(placed => placed.Unchanged).OfType<UnchangedRange>()];

    internal override WrittenFileCheck? Write(WriteContext context)
    {
        using var file = context.Create(this, context.Verification.SharesBlocks ? Unchanged : []);
        var checksums = new TensorFileWriter(Layout, context.Copier.Write, storages => context.Copier.Expect(storages, context.CancellationToken), context.MakeWorkers()).Write(file);
        context.Checksums[this] = checksums;
        return new WrittenFileCheck(this, checksums);
    }
}
