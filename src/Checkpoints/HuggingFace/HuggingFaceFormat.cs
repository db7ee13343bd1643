using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Containers;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Planning;
using Fairseq2Llama.SafeTensors.Writing;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.HuggingFace;

/// <summary>Hugging Face's format: config.json, and one or more safetensors files with whole tensors.</summary>
internal sealed class HuggingFaceFormat(HuggingFaceExportOptions options, CancellationToken cancellationToken) : OutputFormat
{
    // Found before anything that takes longer.
    private readonly TokenizerFiles? _tokenizer = options.TokenizerPath is { } path ? TokenizerFiles.Find(path, cancellationToken) : null;

    public override CheckpointFormat Format => CheckpointFormat.HuggingFace;

    public override NamingConvention Convention => NamingConvention.HuggingFace;

    public override ITensorContainer Container { get; } = new SafeTensorsContainer(SafeTensorsContainer.PyTorchMetadata);

    public override FolderRules Folder => HuggingFaceFiles.Rules;

    public override string ConfigFileName => HuggingFaceConfig.FileName;

    public override bool OmitsTiedOutput => true;

    public override byte[] WriteConfig(LlamaArchitecture architecture) =>
        HuggingFaceConfigWriter.Write(architecture, SpecialTokens.OfVocabulary(architecture.VocabSize), DType.Float32, []);

    public override LlamaCheckpoint Open(ICheckpointFolder folder, LlamaArchitecture architecture, OutputFiles output, CancellationToken cancellationToken) =>
        LlamaHuggingFaceCheckpoint.Read(folder, cancellationToken);

    public override OutputFiles PlanFiles(ExportedModel model, ICheckpointFolder destination)
    {
        var split = new ModelParallelSplit(1, model);
        var shards = WeightShards.Divide(model.PlanTensors(split, rank: 0).OrderBy(tensor => ModuleOrder.Of(Parse(tensor), Convention)), options.MaxShardSize);
        var container = new SafeTensorsContainer(MetadataFor(model.Checkpoint));
        PlannedTensorFile[] weights =
        [
            .. shards.Select((shard, index) => new PlannedTensorFile(WeightFile.NameOf(index + 1, shards.Count), container, shard)),
        ];

        // A cast or a new division of a model is not meant to remove its tokenizer.
        var found = _tokenizer ?? TokenizerFiles.Beside(model.Checkpoint);
        var tokens = found.ReadSpecialTokensOr(model.SpecialTokens);
        var tokenizer = found.AreGiven ? found.CompleteFor(model.Architecture, tokens) : found;
        var config = HuggingFaceConfigWriter.Write(model.Architecture, tokens, MostFrequentType(model), FindBiased(model));

        ImmutableArray<PlannedFile> files =
        [
            .. weights,
            .. weights.Length > 1 ? [new PlannedTextFile(WeightIndex.FileName, WeightIndexWriter.Write(weights), "the file of each tensor")] : Array.Empty<PlannedFile>(),
            new PlannedTextFile(HuggingFaceConfig.FileName, config, "the architecture"),
            PlanGenerationConfig(tokenizer, tokens),
            .. tokenizer.PlanFiles(destination),
        ];

        return new OutputFiles(files, split)
        {
            CommitMarker = HuggingFaceConfig.FileName,
            Reason = string.Create(CultureInfo.InvariantCulture, $"Files: {weights.Length}, of up to {options.MaxShardSize:N0} bytes each."),
            ShardCount = weights.Length,
            NotWritten = [.. tokenizer.FindKept(destination)],
            Warnings = [.. tokenizer.Warnings, .. tokenizer.FindWarnings(destination), .. FindForeignTokens(tokens, model)],
        };
    }

    /// <summary>That of a checkpoint that only changes its files goes over with all that is in it, as how to sample.</summary>
    private PlannedFile PlanGenerationConfig(TokenizerFiles tokenizer, SpecialTokens tokens) => _tokenizer is null && tokenizer.GenerationConfigFile is { } file
        ? new PlannedCopy(GenerationConfig.FileName, file.Source)
        : new PlannedTextFile(GenerationConfig.FileName, GenerationConfig.Write(tokens), "the tokens that begin and end a text");

    /// <summary>The metadata of the input's files is carried over. If the files differ, that of the first is used, because files are divided anew.</summary>
    private static Dictionary<string, string> MetadataFor(LlamaCheckpoint checkpoint) =>
        ((checkpoint as LlamaHuggingFaceCheckpoint)?.Metadata ?? []).Concat(SafeTensorsContainer.PyTorchMetadata)
            .DistinctBy(entry => entry.Key, StringComparer.Ordinal)
            .ToDictionary(StringComparer.Ordinal);

    private static ParameterName Parse(PlannedTensor tensor) => ParameterName.Parse(tensor.Name, NamingConvention.HuggingFace);

    private static LlamaParameter[] FindBiased(ExportedModel model) =>
        [.. model.Tensors.Where(tensor => tensor.ParsedName.IsBias).Select(tensor => tensor.ParsedName.Module!).Distinct()];

    private static IEnumerable<string> FindForeignTokens(SpecialTokens tokens, ExportedModel model) =>
        from token in tokens.Begin.Concat(tokens.End).Distinct()
        where token >= model.Architecture.VocabSize
        select $"The token {token} begins or ends texts, but the vocabulary of the model has only {model.Architecture.VocabSize} tokens. Check that the tokenizer"
            + " belongs to this model.";

    /// <summary>Norms are sometimes kept in a larger type than all the rest.</summary>
    private static DType MostFrequentType(ExportedModel model) =>
        model.Tensors.GroupBy(model.NewTypeOf).MaxBy(group => group.Sum(tensor => tensor.ElementCount))!.Key;
}
