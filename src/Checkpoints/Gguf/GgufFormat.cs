using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using Fairseq2Llama.Containers;
using Fairseq2Llama.Gguf.Vocabulary;
using Fairseq2Llama.Gguf.Writing;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Gguf;

/// <summary>
/// GGUF files, as convert_hf_to_gguf.py of llama.cpp (2026-05) makes them of the same model in Hugging Face's format: the same keys, tensors and types in the same order.
/// </summary>
internal sealed class GgufFormat(GgufExportOptions options, CancellationToken cancellationToken) : OutputFormat
{
    private readonly GgufFileName _name = RequireName(options.FileName);
    private readonly GeneralMetadata _general = new(options.Metadata);

    public override CheckpointFormat Format => CheckpointFormat.Gguf;

    public override NamingConvention Convention => NamingConvention.Gguf;

    public override ITensorContainer Container { get; } = new GgufContainer(new MetadataWriter());

    public override FolderRules Folder => new GgufFiles(_name.Stem);

    public override string ConfigFileName => options.FileName;

    public override bool OmitsTiedOutput => true;

    /// <summary>Vectors, norms and what is no weight are always float32, and the rows of Q8_0 are made of whole blocks.</summary>
    public override DType TypeOf(CheckpointTensor tensor, DType? requested)
    {
        if (tensor.Shape.Count <= 1 || tensor.ParsedName.Parameter?.Kind is null or ParameterKind.Norm)
        {
            return DTypeInfo.Of(tensor.DType).IsRealFloat ? DType.Float32 : tensor.DType;
        }

        var type = base.TypeOf(tensor, requested);

        return type switch
        {
            DType.Q8_0 when tensor.Shape[tensor.Shape.Count - 1] % DTypeInfo.Of(type).ElementsPerBlock != 0 => DType.Float16,
            DType.Float32 or DType.Float16 or DType.BFloat16 or DType.Q8_0 => type,
            _ => DTypeInfo.Of(type).IsRealFloat ? DType.Float32 : type,
        };
    }

    public override byte[] WriteConfig(LlamaArchitecture architecture)
    {
        var keys = new MetadataWriter();
        ArchitectureMetadata.Write(keys, architecture, fileType: null);
        keys.Add(RotaryFactors.TensorName, string.Create(CultureInfo.InvariantCulture, $"{architecture.RopeScaleFactor}"));
        return keys.ToArray();
    }

    public override LlamaCheckpoint Open(ICheckpointFolder folder, LlamaArchitecture architecture, OutputFiles output, CancellationToken cancellationToken) =>
        LlamaGgufCheckpoint.Read(folder.Folder((_name with { Count = output.ShardCount }).Text), cancellationToken);

    public override OutputFiles PlanFiles(ExportedModel model, ICheckpointFolder destination)
    {
        var split = new ModelParallelSplit(1, model);
        PlannedTensor[] tensors = [.. PlanRotaryFactors(model.Architecture), .. new ConverterOrder(model.Checkpoint).Apply(model.PlanTensors(split, rank: 0))];
        var shards = SplitFiles.Divide(tensors, options.MaxShardSize ?? long.MaxValue);
        var name = _name with { Count = shards.Count };
        var copied = CopyMetadata(model.Checkpoint);
        var vocabulary = FindVocabulary(model, copied);
        var keys = MakeMetadata(model, tensors, copied, vocabulary);

        ImmutableArray<PlannedFile> files =
        [
            .. shards.Select((shard, index) => new PlannedTensorFile(
                (name with { Number = index + 1 }).Text,
                new GgufContainer(shards.Count == 1 ? keys : SplitMetadata.AddTo(index == 0 ? keys : new MetadataWriter(), index, shards.Count, tensors.Length)),
                shard)),
        ];

        return new OutputFiles(files, split)
        {
            CommitMarker = name.Text,
            Reason = string.Create(
                CultureInfo.InvariantCulture,
                $"Files: {files.Length}{(options.MaxShardSize is { } size ? $", of up to {size:N0} bytes of tensors each" : "; choose -MaxShardSize for several")}. Vocabulary: {vocabulary.Origin}."),
            ShardCount = files.Length,
            Warnings = [.. FindFallbacks(tensors), .. vocabulary.Warnings],
        };
    }

    private MetadataWriter MakeMetadata(ExportedModel model, IReadOnlyList<PlannedTensor> tensors, CopiedMetadata? copied, IVocabulary vocabulary)
    {
        var keys = new MetadataWriter();
        keys.Add(MetadataKeys.Architecture, GgufArchitecture.Llama);
        keys.Add(MetadataKeys.Type, "model");
        vocabulary.WriteSampling(keys);
        _general.Write(keys, model.Checkpoint.Name, copied, tensors);
        ArchitectureMetadata.Write(keys, model.Architecture, FileTypeOf(tensors));
        vocabulary.Write(keys);
        return keys;
    }

    /// <summary>What goes over from a GGUF file; null for another checkpoint.</summary>
    private CopiedMetadata? CopyMetadata(LlamaCheckpoint checkpoint) => checkpoint.Origin is LlamaGgufCheckpoint { FirstFile: var file }
        ? new(file, key => GeneralMetadata.IsCopied(key) || (KeepsVocabulary(checkpoint) && CopiedVocabulary.IsCopied(key)), cancellationToken)
        : null;

    private bool KeepsVocabulary(LlamaCheckpoint checkpoint) =>
        options.TokenizerPath is null && checkpoint.Origin is LlamaGgufCheckpoint { FirstFile: var file } && file.Metadata.Has(MetadataKeys.TokenizerModel);

    /// <summary>That which the user names, otherwise that of the checkpoint.</summary>
    private IVocabulary FindVocabulary(ExportedModel model, CopiedMetadata? copied)
    {
        if (copied is not null && KeepsVocabulary(model.Checkpoint))
        {
            return new CopiedVocabulary(copied);
        }

        var files = options.TokenizerPath is { } path ? TokenizerFiles.Find(path, cancellationToken) : TokenizerFiles.Of(model.Checkpoint);

        return !files.IsEmpty
            ? GgufVocabulary.Read(files, model.Architecture, model.SpecialTokens)
            : throw new CheckpointException(
                CheckpointErrorCode.TokenizerNotFound,
                $"There is no tokenizer {(model.Checkpoint.Origin is LlamaGgufCheckpoint ? "in" : "beside")} '{model.Checkpoint.Origin.Path}', and llama.cpp can't run a model without its vocabulary. Give the tokenizer with -TokenizerPath: a"
                    + " tokenizer.model of LLaMA 1 to 3, or the tokenizer.json of LLaMA 3, or a folder with one.",
                model.Checkpoint.Origin.Path);
    }

    private static IEnumerable<PlannedTensor> PlanRotaryFactors(LlamaArchitecture architecture)
    {
        if (architecture.RopeScaleFactor is not { } scale)
        {
            return [];
        }

        var factors = RotaryFactors.Compute(architecture.HeadDim, architecture.RopeTheta, scale);
        var storage = PlannedStorage.Computed(DType.Float32, factors.Length, sink => sink(MemoryMarshal.AsBytes(factors.ToArray().AsSpan())));
        return [new PlannedTensor(RotaryFactors.TensorName, "the scale of rotary encoding", DType.Float32, new TensorShape(factors.Length), storage)];
    }

    /// <summary>That of most of the weights, or Q8_0 wherever there is any, as what fits no blocks stays float16.</summary>
    private static DType FileTypeOf(IReadOnlyList<PlannedTensor> tensors)
    {
        var matrices = tensors.Where(tensor => tensor.Shape.Count > 1).GroupBy(tensor => tensor.DType).ToArray();
        return matrices.Any(group => group.Key == DType.Q8_0) ? DType.Q8_0 : matrices.MaxBy(group => group.Sum(tensor => tensor.Shape.ElementCount))?.Key ?? DType.Float32;
    }

    private IEnumerable<string> FindFallbacks(IEnumerable<PlannedTensor> tensors) =>
        options.DType == DType.Q8_0 && tensors.Where(tensor => tensor.Shape.Count > 1 && tensor.DType == DType.Float16).ToArray() is [var first, ..] others
            ? [$"{others.Length} tensors become float16, such as '{first.Name}' ({first.Shape}): Q8_0 is made of blocks of {DTypeInfo.Of(DType.Q8_0).ElementsPerBlock} elements, and their rows are not."]
            : [];

    private static GgufFileName RequireName(string fileName) =>
        GgufFileName.Parse(fileName) switch
        {
            { Count: 1 } name when StoredFile.IsName(fileName) => name,
            { Count: > 1 } => throw new CheckpointException(
                CheckpointErrorCode.WriteFailed, $"'{fileName}' is a name for a part of a model. Give the name without numbers; exports number the files themselves.", fileName),
            _ => throw new CheckpointException(
                CheckpointErrorCode.WriteFailed, $"'{fileName}' is not the name of a GGUF file. Give the path of a file that ends with {GgufFile.Extension}, such as '{fileName}/model{GgufFile.Extension}'.", fileName),
        };
}
