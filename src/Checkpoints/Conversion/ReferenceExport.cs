using System.Collections.Immutable;
using Fairseq2Llama.Conversion;
using Fairseq2Llama.Conversion.Destination;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Reference;
using Fairseq2Llama.Sources;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>Plans the export of a fairseq2 checkpoint to Meta's reference format: consolidated.NN.pth and params.json.</summary>
public static class ReferenceExport
{
    private static readonly string OutputName = LlamaParameter.Output.ReferencePrefix + LlamaParameter.Suffix;

    /// <summary>Plans the export of a checkpoint. Only looks; nothing is written.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="destinationPath">The absolute path of the folder to write into; it need not exist.</param>
    /// <param name="options">How.</param>
    /// <exception cref="CheckpointException">Anything that would make the result wrong or that stands in its way.</exception>
    public static ConversionPlan Plan(Fairseq2Checkpoint checkpoint, string destinationPath, ReferenceExportOptions options) =>
        Plan(checkpoint, checkpoint.Tensors, destinationPath, options);

    /// <summary>Plans the export of those tensors of a checkpoint that are left after filtering.</summary>
    /// <param name="tensors">All from one checkpoint; one that comes twice counts once.</param>
    /// <param name="destinationPath">The absolute path of the folder to write into; it need not exist.</param>
    /// <param name="options">How.</param>
    /// <exception cref="CheckpointException">Anything that would make the result wrong or that stands in its way.</exception>
    public static ConversionPlan Plan(
        IReadOnlyCollection<CheckpointTensor> tensors, string destinationPath, ReferenceExportOptions options)
    {
        var distinct = tensors.Distinct().ToArray();
        var checkpoints = distinct.Select(tensor => tensor.Checkpoint).Distinct().ToArray();

        return checkpoints switch
        {
            [Fairseq2Checkpoint checkpoint] => Plan(checkpoint, distinct, destinationPath, options),
            [var other] => throw new CheckpointException(
                CheckpointErrorCode.CheckpointUnrecognized, $"'{other.Path}' is no checkpoint of fairseq2, and only those can be exported.", other.Path),
            _ => throw new CheckpointException(
                CheckpointErrorCode.ShardMismatch,
                $"'{destinationPath}' can hold tensors of one checkpoint, and these come from {checkpoints.Length}:"
                + $" {string.Join(", ", checkpoints.Select(checkpoint => $"'{checkpoint.Path}'"))}. Export each by itself.",
                destinationPath),
        };
    }

    private static ConversionPlan Plan(
        Fairseq2Checkpoint checkpoint,
        IReadOnlyCollection<CheckpointTensor> tensors,
        string destinationPath,
        ReferenceExportOptions options)
    {
        ReferenceExportChecks.RequireValidPickles(checkpoint, options.Verification);
        ReferenceExportChecks.RequireMapped(checkpoint, tensors, options);
        var choice = ArchitectureChoice.Of(checkpoint, tensors, options.Architecture, options.ParamsLayout);
        var architecture = choice.Architecture;
        ReferenceExportChecks.Require(checkpoint, tensors, choice);

        var split = new ModelParallelSplit(options.ShardCount ?? checkpoint.TensorParallelSize, tensors, architecture);
        var ranks = ReferenceExportChecks.RequireShards(options, split.Count).ToArray();
        ImmutableArray<PlannedFile> weightsAndParams =
        [
            .. ranks.Select(rank => PlanShard(checkpoint, tensors, split, rank, options.DType)),
            new PlannedTextFile(ReferenceParams.FileName, ReferenceParams.Write(architecture, options.ParamsLayout), isShared: !options.ShardIndex.IsEmpty),
        ];
        ImmutableArray<PlannedFile> files = options.Checklist ? [.. weightsAndParams, new PlannedChecklist(weightsAndParams)] : weightsAndParams;

        ReferenceExportChecks.RequireArithmetic(files);

        var destination = ReferenceDestination.Inspect(destinationPath, files, options.ShardIndex, split.Count, options.Force);
        RequireInputsElsewhere(checkpoint, destinationPath, destination);

        var siblings = Enumerable.Range(0, split.Count).Except(ranks).Where(rank => File.Exists(Path.Combine(destinationPath, ReferenceShard.NameOf(rank))));
        var foreign = SiblingShards.FindForeign(destinationPath, siblings.Select(rank => PlanShard(checkpoint, tensors, split, rank, options.DType))).ToArray();
        ReferenceExportChecks.RequireSiblings(foreign, destinationPath, options.Force);

        return new ConversionPlan(destinationPath, architecture, files, options.Verification)
        {
            ArchitectureOrigin = choice.Origin,
            ShardCount = split.Count,
            ReplicatedTensors = [.. split.FindReplicated(tensors)],
            ReplacedFiles = destination.Replaced,
            StaleFiles = destination.Stale,
            ShardIndex = options.ShardIndex,
            Flush = options.Flush || destination.Replaced.Length + destination.Stale.Length > 0,
            Warnings =
            [
                .. ReferenceExportChecks.Warn(checkpoint, tensors, options),
                .. destination.Warnings,
                .. foreign.Select(path => $"'{path}' is of another export; a job with that shard has to replace it."),
            ],
        };
    }

    private static PlannedTorchFile PlanShard(
        Fairseq2Checkpoint checkpoint, IReadOnlyCollection<CheckpointTensor> tensors, ModelParallelSplit split, int rank, DType? castTo)
    {
        var planned = new List<PlannedTensor>();
        var storages = new Dictionary<TensorSlice, PlannedStorage>();

        foreach (var tensor in tensors)
        {
            Add(NewNameOf(tensor), tensor, tensor.ParsedName.Parameter);
        }

        if (tensors.All(tensor => tensor.ParsedName.Parameter != LlamaParameter.Output))
        {
            // Readers need output.weight even where it is the embedding table and the checkpoint leaves it out.
            Add(OutputName, tensors.First(tensor => tensor.ParsedName.Parameter == LlamaParameter.Embedding), LlamaParameter.Output);
        }

        RequireDistinctNames(checkpoint, planned);
        return new PlannedTorchFile(ReferenceShard.NameOf(rank), planned);

        void Add(string name, CheckpointTensor tensor, LlamaParameter? parameter)
        {
            var slice = split.SliceOf(tensor, parameter, rank);
            var dtype = castTo is not null && DTypeInfo.Of(tensor.DType).IsRealFloat ? castTo.Value : tensor.DType;

            // Weights that are one in the input, as tied ones are, stay one.
            if (!storages.TryGetValue(slice, out var storage))
            {
                storage = storages[slice] = slice.ToStorage(tensor.DType, dtype);
            }

            planned.Add(new PlannedTensor(name, tensor.Name, dtype, slice.Shape, storage));
        }
    }

    /// <summary>-Force replaces earlier exports, not what is being exported.</summary>
    private static void RequireInputsElsewhere(Fairseq2Checkpoint checkpoint, string destinationPath, ReferenceDestination destination)
    {
        var inputs = checkpoint.Files.Select(RealPath.Of).ToHashSet(RealPath.Comparer);
        var input = destination.Replaced.Concat(destination.Stale)
            .Select(name => Path.Combine(destinationPath, name))
            .FirstOrDefault(path => inputs.Contains(RealPath.Of(path)));

        if (input is not null)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists, $"'{input}' is what is being exported and would be replaced. Choose another folder.", destinationPath);
        }
    }

    /// <summary>An unknown tensor that is carried over can have the very name that another one gets.</summary>
    private static void RequireDistinctNames(Fairseq2Checkpoint checkpoint, List<PlannedTensor> planned)
    {
        var clash = planned.GroupBy(tensor => tensor.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1);

        if (clash is not null)
        {
            throw new CheckpointException(
                CheckpointErrorCode.UnmappedTensor,
                $"{string.Join(" and ", clash.Select(tensor => $"'{tensor.SourceName}'"))} of '{checkpoint.Path}' would both become"
                + $" '{clash.Key}'. Filter one of them out.",
                clash.Key);
        }
    }

    internal static string NewNameOf(CheckpointTensor tensor) => tensor.ReferenceName ?? tensor.Name;
}
