using Fairseq2Llama.Containers;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;
using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// A checkpoint of fairseq2 as 0.4.6 writes it (checkpoint/_manager.py): model.pt with the state dict under "model", and model.yaml with the
/// architecture. From 0.5 on the names of some settings in model.yaml are different.
/// </summary>
internal sealed class Fairseq2Format : OutputFormat
{
    private const double FixedNormEps = 1e-5;

    public override CheckpointFormat Format => CheckpointFormat.Fairseq2;

    public override NamingConvention Convention => NamingConvention.Fairseq2;

    public override ITensorContainer Container { get; } = new TorchContainer(new StateDictWrapping("model", [new("model_key", "model")], ["fs2"]));

    public override FolderRules Folder => Fairseq2Files.Rules;

    public override string ConfigFileName => ModelConfig.FileName;

    public override byte[] WriteConfig(LlamaArchitecture architecture) =>
        ModelConfigWriter.Write(architecture, SpecialTokens.OfVocabulary(architecture.VocabSize));

    public override IEnumerable<string> FindLosses(LlamaArchitecture architecture)
    {
        if (architecture.NormEps != FixedNormEps)
        {
            yield return $"The epsilon of the norms is {JsonConfigWriter.FloatOf(architecture.NormEps)}, but fairseq2 always uses {JsonConfigWriter.FloatOf(FixedNormEps)}:"
                + " in fairseq2, the model will give slightly different numbers.";
        }
    }

    public override LlamaCheckpoint Open(ICheckpointFolder folder, LlamaArchitecture architecture, OutputFiles output, CancellationToken cancellationToken) =>
        Fairseq2Checkpoint.Read(folder, cancellationToken: cancellationToken);

    public override OutputFiles PlanFiles(ExportedModel model, ICheckpointFolder destination)
    {
        var split = new ModelParallelSplit(1, model);
        var config = ModelConfigWriter.Write(model.Architecture, model.SpecialTokens);

        return new OutputFiles(
            [
                new PlannedTensorFile(SingleFileLayout.FileName, Container, model.PlanTensors(split, rank: 0)),
                new PlannedTextFile(ConfigFileName, config, "the architecture"),
            ],
            split)
        {
            CommitMarker = SingleFileLayout.FileName,
            Reason = $"Files: 1, because fairseq2 stores a model that is not in training in '{SingleFileLayout.FileName}'.",
        };
    }
}
