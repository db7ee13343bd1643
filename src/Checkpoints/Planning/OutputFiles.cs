using System.Collections.Immutable;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Planning;

/// <summary>The files that a model becomes.</summary>
/// <param name="Planned">Those to be written.</param>
/// <param name="Split">How tensors are divided over them.</param>
internal sealed record OutputFiles(ImmutableArray<PlannedFile> Planned, ModelParallelSplit Split)
{
    /// <summary>The file that marks the checkpoint as complete: that of an earlier one is removed first, and it is written last.</summary>
    public required string CommitMarker { get; init; }

    /// <summary>Why it becomes so many files, in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>The number of files that the weights are divided into, whether or not all are to be written.</summary>
    public int ShardCount { get; init; } = 1;

    /// <summary>Those that hold tensors, in the order in which they are numbered.</summary>
    public ImmutableArray<PlannedTensorFile> TensorFiles => [.. Planned.OfType<PlannedTensorFile>()];

    /// <summary>The tensor files of this job, if other jobs write the others; otherwise empty.</summary>
    public ImmutableArray<ExportedShard> Shards { get; init; } = [];

    /// <summary>Their indexes.</summary>
    public ImmutableArray<int> ShardIndex => [.. Shards.Select(shard => shard.ShardIndex)];

    /// <summary>The names of files that belong to it, too, and are not to be written: other jobs do that, or they are there already.</summary>
    public ImmutableArray<string> NotWritten { get; init; } = [];

    /// <summary>Those of them that nobody needs any more when it is complete.</summary>
    public ImmutableArray<string> Consumed { get; init; } = [];

    /// <summary>The names of files that an earlier run of this job has written and that were changed since. They are written again.</summary>
    public ImmutableArray<string> Repaired { get; init; } = [];

    /// <summary>The name of one that is there already and of another export, if one was found.</summary>
    public string? Foreign { get; init; }

    /// <summary>Files that other jobs have exported, which this export makes a checkpoint of.</summary>
    public ImmutableArray<WrittenFileCheck> InPlace { get; init; } = [];

    /// <summary>All files of the checkpoint, the weights first.</summary>
    public IEnumerable<PlannedFile> OfCheckpoint => InPlace.Select(check => check.File).Concat(Planned);

    /// <summary>The room that those to be written take.</summary>
    public RequiredSpace Space
    {
        get
        {
            var tensorFiles = Planned.OfType<PlannedTensorFile>().ToArray();

            // Deflated storages are inflated first, so that they can be read at any place.
            var inputs = tensorFiles.SelectMany(file => file.Layout.Storages).SelectMany(placed => placed.Storage.Runs).Select(runs => runs.Storage).Distinct();

            return new RequiredSpace(
                Planned.Sum(file => file.Length), inputs.Sum(storage => storage.ScratchLength), [.. tensorFiles.SelectMany(file => file.Unchanged)]);
        }
    }

    /// <summary>Warnings.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];
}
