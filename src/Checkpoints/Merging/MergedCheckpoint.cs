using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Merging;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>
/// A LLaMA that is made from others: an average of checkpoints, or a checkpoint with a LoRA merged into it, or with new tensors. It is in no file: what is computed is computed when it is read. Its
/// names, its architecture and its tokenizer are those of the checkpoint that it was made from, or of the first of these.
/// </summary>
public sealed class MergedCheckpoint : LlamaCheckpoint
{
    private readonly Dictionary<CheckpointTensor, CheckpointTensor> _originals = [];

    /// <param name="origin">The checkpoint to take the rest from.</param>
    /// <param name="path">Its path.</param>
    /// <param name="name">Its name.</param>
    /// <param name="sources">What it is made from.</param>
    /// <param name="tensors">Its tensors.</param>
    /// <param name="isUntied">Whether its output is no longer the embedding table.</param>
    internal MergedCheckpoint(LlamaCheckpoint origin, string path, string name, ImmutableArray<MergeSource> sources, IReadOnlyCollection<MergedTensor> tensors, bool isUntied = false)
        : base(origin.Folder, path, name)
    {
        Origin = origin.Origin;
        var config = origin.ArchitectureFile ?? sources.Select(source => source.Checkpoint?.ArchitectureFile).FirstOrDefault(file => file is not null);
        ArchitectureFile = isUntied && config is { Architecture: { } told } ? config with { Architecture = told with { TiedEmbeddings = false } } : config;
        NamedArchitecture = origin.NamedArchitecture is { } named && isUntied ? named with { TiedEmbeddings = false } : origin.NamedArchitecture;
        Sources = sources;

        var computed = tensors.Where(tensor => tensor.Recipe is not null).DistinctBy(tensor => tensor.Recipe).ToArray();
        var file = new ComputedFile(name, computed.Select(tensor => KeyValuePair.Create(tensor.Name.Name, tensor.Recipe!)));
        var views = computed.Zip(file.Views).ToDictionary(pair => pair.First.Recipe!, pair => pair.Second);

        Tensors = Adopt([.. tensors.Select(tensor => tensor.Recipe is { } recipe ? Compute(tensor.Name, recipe, views[recipe]) : Keep(tensor))]);
        SizeInBytes = Tensors.Where(tensor => !tensor.IsRepeat).Sum(tensor => tensor.SizeInBytes);
    }

    /// <summary>The format of the checkpoint that it was made from, or of the first of these.</summary>
    public override CheckpointFormat Format => Origin.Format;

    /// <summary>What it is made from.</summary>
    public ImmutableArray<MergeSource> Sources { get; }

    /// <summary>1: it is not divided.</summary>
    public override int ShardCount => 1;

    /// <summary>None: it is in no file.</summary>
    public override ImmutableArray<string> Files => [];

    /// <summary>Its tensors, under the names that the checkpoint has for them that it was made from, or the first of these.</summary>
    public override ImmutableArray<CheckpointTensor> Tensors { get; }

    /// <summary>Bytes of its tensors.</summary>
    public override long SizeInBytes { get; }

    /// <inheritdoc/>
    public override ImmutableArray<string> Warnings => MergeWarnings;

    internal ImmutableArray<string> MergeWarnings { get; init; } = [];

    /// <summary>Rows of a head, where that decided how rows were put together; otherwise null.</summary>
    internal int? AssumedHeadDim => OwnHeadDim ?? Checkpoints.OfType<MergedCheckpoint>().Select(checkpoint => checkpoint.AssumedHeadDim).FirstOrDefault(headDim => headDim is not null);

    internal int? OwnHeadDim { private get; init; }

    internal override LlamaCheckpoint Origin { get; }

    internal override ImmutableArray<MergeSource> MadeFrom => Sources;

    internal override IEnumerable<string> InputFiles => Sources.SelectMany(source => source.InputFiles);

    internal override ArchitectureFile? ArchitectureFile { get; }

    internal override IEnumerable<ICheckpointFolder> FoldersAround => Origin.FoldersAround;

    internal override string? Stem => null;

    internal override bool HasExactReplicas => Origin.HasExactReplicas;

    internal override IEnumerable<string> FilesWithoutChecksums => Checkpoints.SelectMany(checkpoint => checkpoint.FilesWithoutChecksums).Distinct(StringComparer.Ordinal);

    internal override IEnumerable<string> FilesWithInvalidPickleChecksum => Checkpoints.SelectMany(checkpoint => checkpoint.FilesWithInvalidPickleChecksum);

    private IEnumerable<LlamaCheckpoint> Checkpoints => Sources.Select(source => source.Checkpoint).OfType<LlamaCheckpoint>();

    internal override void Locate(IEnumerable<CheckpointTensor> tensors, CancellationToken cancellationToken)
    {
        foreach (var owner in tensors.Select(tensor => _originals.GetValueOrDefault(tensor)).OfType<CheckpointTensor>().Where(tensor => !tensor.IsLocated).GroupBy(tensor => tensor.Owner))
        {
            owner.Key.Locate(owner, cancellationToken);
        }
    }

    private CheckpointTensor Keep(MergedTensor tensor)
    {
        var kept = tensor.Kept!.As(tensor.Name);
        _originals.Add(kept, tensor.Kept!);
        return kept;
    }

    private CheckpointTensor Compute(ParameterName name, TensorRecipe recipe, TensorView view) =>
        new(name, recipe.DType, recipe.Shape, null, [[new TensorPart(view)]], [new TensorShard(Name, name.Name, view)]) { HalfSplitHeadDim = recipe.HalfSplitHeadDim };
}
