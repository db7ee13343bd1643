using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Containers;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;
using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Reference;

/// <summary>Meta's reference format: params.json, and a torch.save file for each model-parallel rank.</summary>
internal sealed class ReferenceFormat(ReferenceExportOptions options) : OutputFormat
{
    public override CheckpointFormat Format => CheckpointFormat.Reference;

    public override NamingConvention Convention => NamingConvention.Reference;

    public override ITensorContainer Container { get; } = new TorchContainer();

    public override FolderRules Folder => ReferenceFiles.Rules;

    public override string ConfigFileName => ReferenceParams.FileName;

    public override bool TellsMaxSeqLen => false;

    public override byte[] WriteConfig(LlamaArchitecture architecture) => ReferenceParams.Write(architecture, options.ParamsLayout);

    public override IEnumerable<CheckpointFinding> FindContradictions(LlamaArchitecture architecture)
    {
        if (architecture.FfnInnerDim != architecture.ReferenceFfnInnerDim)
        {
            yield return ArchitectureCheck.Contradiction(
                $"FfnInnerDim is {architecture.FfnInnerDim}, but readers of params.json would compute {architecture.ReferenceFfnInnerDim}"
                + " from the same multiplier; choose an FfnInnerDimMultipleOf for which both are the same");
        }

        if (options.ParamsLayout == ParamsLayout.Llama2 && !ReferenceParams.SuitsLlama2(architecture))
        {
            yield return ArchitectureCheck.Contradiction(
                $"meta-llama/llama always uses an unscaled RopeTheta of {Show(ReferenceParams.Llama2RopeTheta)}, but the architecture has"
                + $" {Show(architecture.RopeTheta)}{(architecture.RopeScaleFactor is { } factor ? $", scaled by {Show(factor)}" : "")};"
                + " choose -ParamsLayout Llama3");
        }
    }

    public override IEnumerable<string> FindLosses(LlamaArchitecture architecture)
    {
        if (architecture.RopeScaleFactor is not { } factor || ArchitectureMatcher.Like(architecture).Any(known => known.RopeScaleFactor == factor))
        {
            yield break;
        }

        if (Layout(architecture) == ParamsLayout.Nested)
        {
            yield return $"The nested {ConfigFileName} can't record that rotary encoding is scaled by {Show(factor)}. Its readers have to know this.";
        }
        else if (factor != RotaryScale.DefaultFactor)
        {
            yield return $"{ConfigFileName} records that rotary encoding is scaled, but can't record that it is scaled by {Show(factor)}:"
                + $" Meta's loader always scales by {Show(RotaryScale.DefaultFactor)}.";
        }
    }

    public override IEnumerable<string> ExplainConfig(LlamaArchitecture architecture)
    {
        yield return Layout(architecture) switch
        {
            ParamsLayout.Nested =>
                $"{ConfigFileName} is nested, for Hugging Face's converter. For Meta's own loaders, choose -ParamsLayout Flat.",
            ParamsLayout.Llama2 =>
                $"{ConfigFileName} is flat and without rope_theta, for meta-llama/llama. meta-llama/llama3 and meta-llama/llama-models would use"
                + $" {Show(ReferenceParams.Llama3RopeTheta)}; for them, choose -ParamsLayout Llama3.",
            _ when architecture.RopeScaleFactor is not null =>
                $"{ConfigFileName} is flat with rope_theta and use_scaled_rope, for meta-llama/llama-models; Meta's earlier loaders can't scale.",
            _ =>
                $"{ConfigFileName} is flat with rope_theta, for meta-llama/llama3 and meta-llama/llama-models. meta-llama/llama refuses it"
                + (ReferenceParams.SuitsLlama2(architecture) ? "; for that, choose -ParamsLayout Llama2." : "."),
        };
    }

    private ParamsLayout Layout(LlamaArchitecture architecture) => ReferenceParams.Resolve(architecture, options.ParamsLayout);

    private static string Show(double number) => number.ToString(CultureInfo.InvariantCulture);

    public override LlamaCheckpoint Open(ICheckpointFolder folder, LlamaArchitecture architecture, OutputFiles output, CancellationToken cancellationToken) =>
        LlamaReferenceCheckpoint.OfExport(folder, architecture, output);

    public override OutputFiles PlanFiles(ExportedModel model, ICheckpointFolder destination)
    {
        var split = new ModelParallelSplit(options.ShardCount ?? model.Checkpoint.ModelParallelSize, model);
        ImmutableArray<PlannedFile> files =
        [
            .. Enumerable.Range(0, split.Count).Select(rank => new PlannedTensorFile(ReferenceShard.NameOf(rank), Container, model.PlanTensors(split, rank))),
            new PlannedTextFile(ConfigFileName, WriteConfig(model.Architecture), "the architecture"),
        ];

        return new OutputFiles(options.Checklist ? [.. files, new PlannedChecklist(files)] : files, split)
        {
            CommitMarker = ReferenceParams.FileName,
            Reason = DescribeCount(split.Count),
            ShardCount = split.Count,
            Warnings = [.. FindForeignDivision(model.Architecture, split)],
        };
    }

    /// <summary>Meta's loaders find the embeddings divided as theirs are, or refuse the file.</summary>
    private IEnumerable<string> FindForeignDivision(LlamaArchitecture architecture, ModelParallelSplit split)
    {
        var (loaders, dim) = Layout(architecture) switch
        {
            ParamsLayout.Llama2 => ("meta-llama/llama expects", 1),
            ParamsLayout.Llama3 => ("meta-llama/llama3 and meta-llama/llama-models expect", 0),
            _ => ("", split.EmbeddingDim),
        };

        if (split.Count > 1 && split.EmbeddingDim != dim)
        {
            yield return $"The embeddings are divided by {(dim == 0 ? "columns" : "rows")}, but {loaders} them divided by {(dim == 0 ? "rows" : "columns")}."
                + $" For {(dim == 0 ? "them" : "it")}, choose -ShardCount 1.";
        }
    }

    /// <summary>Pipeline stages and data parallelism divide a checkpoint, too, and are merged.</summary>
    private string DescribeCount(int count) => string.Create(
        CultureInfo.InvariantCulture,
        $"Files: {count}, {(options.ShardCount is null ? "as many as the checkpoint has tensor-parallel ranks" : "as requested")}.");
}
