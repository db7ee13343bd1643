using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Sharding;
using Fairseq2Llama.Stores;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama;

/// <summary>
/// A LLaMA that fairseq2 saved, indexed: the names, shapes and places of its tensors. It holds no file open and no tensor data.
/// </summary>
public sealed class Fairseq2Checkpoint : LlamaCheckpoint
{
    private readonly CheckpointFiles _layout;
    private readonly ImmutableArray<TorchFileFacts> _files;

    private Fairseq2Checkpoint(CheckpointLocation location, IReadOnlyList<StateDict> files, ModelConfig? config)
        : base(location.Folder, location.Path, location.Name)
    {
        Warnings = location.Warnings;
        FoldersAround = location.DescribingFolders;
        _layout = location.Files;
        _files = [.. files.Select(file => file.File)];
        NonTensors = [.. files.SelectMany(file => file.NonTensors).Distinct(StringComparer.Ordinal)];
        Step = location.Step;
        Tensors = Adopt(ShardedModel.Join(
            [.. _layout.Shards.Zip(files, (shard, file) => (shard, file.Entries))], NamingConvention.Fairseq2, location.Path));
        ArchitectureFile = config?.Architecture is { } told && SharedStorage.IsOutputTied(Tensors)
            ? config with { Architecture = told with { TiedEmbeddings = true } }
            : config;
    }

    /// <inheritdoc/>
    public override CheckpointFormat Format => CheckpointFormat.Fairseq2;

    /// <inheritdoc/>
    public override ImmutableArray<string> Warnings { get; }

    /// <summary>The training step, if its path shows it. Its name also ends with the step: <c>sft@500</c>.</summary>
    public long? Step { get; }

    /// <summary>The number of its files.</summary>
    public override int ShardCount => _files.Length;

    /// <summary>The number of pipeline stages (fairseq2's pp), each of which has layers of its own.</summary>
    public int PipelineStages => _layout.Shards[^1].Place.Pipeline + 1;

    /// <summary>The number of tensor-parallel ranks (fairseq2's tp). An export writes as many files, unless it is told otherwise.</summary>
    public int TensorParallelSize => _layout.Shards[^1].Place.TensorParallel + 1;

    /// <summary>The number of files into which sharded data parallelism (fairseq2's sdp) divided each of these.</summary>
    public int DataParallelSize => _layout.Shards[^1].Place.DataParallel + 1;

    /// <summary>Its files, by pipeline stage, then tensor-parallel rank, then rank of sharded data parallelism.</summary>
    public override ImmutableArray<string> Files => [.. _layout.Shards.Select(shard => shard.Path)];

    /// <summary>Its tensors, in the order of the (first) file.</summary>
    public override ImmutableArray<CheckpointTensor> Tensors { get; }

    /// <summary>Bytes of its files.</summary>
    public override long SizeInBytes => _files.Sum(file => file.Source.Length);

    /// <summary>The keys beside the tensors in its state dicts whose values are not tensors.</summary>
    internal ImmutableArray<string> NonTensors { get; }

    internal override IEnumerable<ICheckpointFolder> FoldersAround { get; }

    internal override bool IsShard => NativeShardLayout.RootOf(_layout.Shards[0].File) is not null;

    /// <summary>Before 0.5, tensor-parallel files could be Meta's own, under other names.</summary>
    internal override bool HasExactReplicas => IsShard;

    /// <summary>
    /// What model.yaml says, except for tied embeddings: fairseq2 before 0.5 has no word for them there. That the weights are two storages proves nothing.
    /// </summary>
    internal override ArchitectureFile? ArchitectureFile { get; }

    internal override int ModelParallelSize => TensorParallelSize;

    /// <summary>Files beside its own that look like parts of it.</summary>
    internal ImmutableArray<string> UnrecognizedFiles => _layout.Unrecognized;

    internal override IEnumerable<string> FilesWithoutChecksums =>
        _files.Where(file => !file.HasChecksums).Select(file => file.Source.Name);

    internal override IEnumerable<string> FilesWithInvalidPickleChecksum =>
        _files.Where(file => !file.IsPickleChecksumValid).Select(file => file.Source.Name);

    /// <summary>Reads the index of a checkpoint of fairseq2 0.3.0 to 0.8.1.</summary>
    /// <param name="address">
    /// The address of a folder that holds <c>model.pt</c>, <c>model.0.pt</c>, …, <c>shard.00.pt</c>, … or <c>pp_00/tp_00/sdp_00.pt</c>, … (or only the levels of these that divide it);
    /// of a file that holds all of the model; or of a training run.
    /// </param>
    /// <param name="step">The step of a training run; null for the newest one that is finished.</param>
    /// <param name="log">Told which steps and files are skipped.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read, or is damaged, or is not one.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Fairseq2Checkpoint Read(
        CheckpointAddress address, long? step = null, Action<string>? log = null, CancellationToken cancellationToken = default) =>
        Read(CheckpointFolders.At(address, cancellationToken), step, log, cancellationToken);

    /// <summary>As for an address, wherever it is.</summary>
    internal static Fairseq2Checkpoint Read(
        ICheckpointFolder place, long? step = null, Action<string>? log = null, CancellationToken cancellationToken = default) =>
        CheckpointFolder.Look(place, () => ReadAt(place, step, log, cancellationToken));

    /// <summary>The finished steps of a training run, the newest first; none where there is no training run.</summary>
    /// <param name="address">The address of a run, or of its folder of steps.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">The operating system or the store refuses to read it.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static ImmutableArray<long> FindSteps(CheckpointAddress address, CancellationToken cancellationToken = default) =>
        FindSteps(CheckpointFolders.At(address, cancellationToken));

    /// <summary>As for an address, wherever it is.</summary>
    internal static ImmutableArray<long> FindSteps(ICheckpointFolder folder) =>
        CheckpointFolder.Look<ImmutableArray<long>>(folder, () => [.. TrainingRun.Find(folder)?.FindFinished() ?? []]);

    /// <summary>Only the number of shards in model.yaml shows that the last shards are missing. A whole model can be beside it, too.</summary>
    private static Fairseq2Checkpoint ReadAt(ICheckpointFolder place, long? step, Action<string>? log, CancellationToken cancellationToken)
    {
        var location = CheckpointLocation.Find(place, step, log);
        var config = location.FindConfigFile() is { } file ? ModelConfig.Read(file, location.Model) : null;
        RequireAllShards(location, config);

        foreach (var stray in location.Files.Unrecognized)
        {
            log?.Invoke($"'{stray}' is skipped: it does not belong to the checkpoint.");
        }

        return new Fairseq2Checkpoint(location, Open(location, cancellationToken), config);
    }

    private static void RequireAllShards(CheckpointLocation location, ModelConfig? config)
    {
        var shard = location.Files.Shards[^1];
        var found = shard.Place.TensorParallel + 1;

        if ((found > 1 || NativeShardLayout.RootOf(shard.File) is not null) && config?.ShardCount > found)
        {
            throw new CheckpointException(
                CheckpointErrorCode.MissingShard,
                $"'{location.Path}' holds {Quantity.Of(found, "tensor-parallel shard")}, but should have {config.ShardCount} according to '{config.Path}'."
                + " Copy the missing files from where the model was trained.",
                location.Path);
        }
    }

    private static List<StateDict> Open(CheckpointLocation location, CancellationToken cancellationToken)
    {
        var files = new List<StateDict>();
        var errors = new List<CheckpointException>();

        foreach (var shard in location.Files.Shards)
        {
            try
            {
                files.Add(StateDict.In(TorchFile.Open(shard.File.Source, cancellationToken)));
            }
            catch (CheckpointException e)
            {
                errors.Add(e);
            }
        }

        if (errors is [var only])
        {
            ExceptionDispatchInfo.Throw(only);
        }

        CheckpointException.ThrowIfAny(
            errors.SelectMany(error => error.Findings), $"{errors.Count} files of '{location.Path}' can't be read", "Copy or save them again.");

        return files;
    }
}
