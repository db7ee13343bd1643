using Fairseq2Llama.Containers;
using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Conversion;

/// <summary>A format may give each tensor the element type that its readers want, whatever was asked for.</summary>
public sealed class TypeOfTensorTests : IDisposable
{
    private readonly TempFolder _out = new();

    public void Dispose() => _out.Dispose();

    [Fact]
    public void Is_the_choice_of_the_format()
    {
        var checkpoint = Fairseq2Checkpoint.Read(Repository.Case("fs2"));
        var plan = CheckpointExport.Plan(checkpoint, _out["out"], new KeepsNormsOptions { Architecture = TinyModel.Architecture, DType = DType.Float16 });

        plan.Execute();

        Assert.EndsWith("tensors, cast to float16", plan.Files[0].Summary, StringComparison.Ordinal);
        Assert.All(checkpoint.Tensors.Zip(plan.OpenResult().Tensors), pair =>
        {
            var isNorm = pair.First.Name.EndsWith("norm.weight", StringComparison.Ordinal);
            Assert.Equal((pair.First.Name, isNorm ? DType.Float32 : DType.Float16), (pair.Second.Name, pair.Second.DType));
            Assert.Equal(isNorm, TensorBytes.Of(pair.First.ToStorage()).SequenceEqual(TensorBytes.Of(pair.Second.ToStorage())));
        });
    }

    [Fact]
    public void Divides_tied_weights_only_where_it_differs()
    {
        var checkpoint = Fairseq2Checkpoint.Read(Repository.Case("tied"));
        var options = new KeepsNormsOptions { DType = DType.Float16, Kept = "final_proj.weight" };

        var plan = CheckpointExport.Plan(checkpoint, _out["out"], options with { Architecture = TinyModel.Tied });
        plan.Execute();

        var types = plan.OpenResult().Tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.DType);
        Assert.Equal((DType.Float32, DType.Float16), (types["final_proj.weight"], types["decoder_frontend.embed.weight"]));
    }

    private sealed record KeepsNormsOptions : ExportOptions
    {
        public string Kept { get; init; } = "norm.weight";

        internal override OutputFormat MakeFormat(CancellationToken cancellationToken) => new KeepsNorms(Kept);
    }

    /// <summary>fairseq2's, but with norms in float32, as GGUF has them.</summary>
    private sealed class KeepsNorms(string kept) : OutputFormat
    {
        private readonly Fairseq2Format _fairseq2 = new();

        public override CheckpointFormat Format => CheckpointFormat.Fairseq2;

        public override NamingConvention Convention => _fairseq2.Convention;

        public override ITensorContainer Container => _fairseq2.Container;

        public override FolderRules Folder => _fairseq2.Folder;

        public override string ConfigFileName => _fairseq2.ConfigFileName;

        public override DType TypeOf(CheckpointTensor tensor, DType? requested) =>
            tensor.Name.EndsWith(kept, StringComparison.Ordinal) ? DType.Float32 : base.TypeOf(tensor, requested);

        public override byte[] WriteConfig(LlamaArchitecture architecture) => _fairseq2.WriteConfig(architecture);

        public override LlamaCheckpoint Open(ICheckpointFolder folder, LlamaArchitecture architecture, OutputFiles output, CancellationToken cancellationToken) =>
            _fairseq2.Open(folder, architecture, output, cancellationToken);

        public override OutputFiles PlanFiles(ExportedModel model, ICheckpointFolder destination) => _fairseq2.PlanFiles(model, destination);
    }
}
