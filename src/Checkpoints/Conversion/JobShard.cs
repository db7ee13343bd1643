using System.Globalization;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Conversion;

/// <summary>A tensor file of an export by several jobs, as it is in the destination.</summary>
/// <param name="File">What it should be.</param>
/// <param name="Index">Which of the tensor files it is, from 0.</param>
/// <param name="Record">What the job that has written it says of it, if there is one.</param>
/// <param name="State">How far it is what it should be.</param>
internal sealed record JobShard(PlannedTensorFile File, int Index, ShardRecord? Record, ShardState State)
{
    /// <summary>Looks at the index of a file, and not at its data.</summary>
    /// <exception cref="CheckpointException">It, or an input, can't be read.</exception>
    public static JobShard Find(PlannedTensorFile file, int index, ICheckpointFolder destination, CancellationToken cancellationToken)
    {
        var record = ShardRecord.Find(file, destination);

        var state =
            !destination.HasFile(file.Name) ? ShardState.Missing
            : record is null ? ShardState.Unrecorded
            : record.Layout != ShardFingerprint.OfLayout(file) ? ShardState.OfOtherOptions
            : record.Checksums.Length != file.Layout.Storages.Count ? ShardState.Unrecorded
            : record.Inputs != ShardFingerprint.OfInputs(file, cancellationToken) ? ShardState.OfOtherInput
            : ShardState.Whole;

        var shard = new JobShard(file, index, record, state);
        return state == ShardState.Whole && !shard.HasIndexIn(destination) ? shard with { State = ShardState.Changed } : shard;
    }

    /// <summary>What the file should hold, according to its record.</summary>
    public WrittenFileCheck Check => new(File, File.Layout.Storages.Zip(Record!.Checksums).ToDictionary(pair => pair.First.Storage, pair => pair.Second))
    {
        Code = CheckpointErrorCode.CheckpointCorrupt,
        Remedy = string.Create(CultureInfo.InvariantCulture, $"It was changed after its job had written it. Run that job again, with -ShardIndex {Index} -Force."),
    };

    /// <summary>What keeps it from being part of the export; null for nothing.</summary>
    public CheckpointFinding? FindProblem(ICheckpointFolder destination)
    {
        var (code, problem) = State switch
        {
            ShardState.Whole => default,
            ShardState.Missing => (CheckpointErrorCode.MissingShard, "is missing"),
            ShardState.Unrecorded => (CheckpointErrorCode.MissingShard, "was not written by a job of this export; use -Force"),
            ShardState.OfOtherOptions => (CheckpointErrorCode.ShardMismatch, "was written with other options or from another checkpoint; use -Force"),
            ShardState.OfOtherInput => (CheckpointErrorCode.ShardMismatch, "was written from another checkpoint; use -Force"),
            ShardState.Changed => (CheckpointErrorCode.CheckpointCorrupt, "was changed after its job had written it"),
            _ => throw new InvalidOperationException($"{State} has no words."),
        };

        return problem is null
            ? null
            : new CheckpointFinding(
                FindingSeverity.Error, code, string.Create(CultureInfo.InvariantCulture, $"'{File.Name}' (-ShardIndex {Index}) {problem}"), File: destination.PathOf(File.Name));
    }

    private bool HasIndexIn(ICheckpointFolder destination)
    {
        try
        {
            Check.CompareIndex(destination.SourceOf(File.Name));
            return true;
        }
        catch (CheckpointException e) when (e.Code != CheckpointErrorCode.ReadFailed)
        {
            return false;
        }
    }
}

/// <summary>How far a file of a job is what it should be.</summary>
internal enum ShardState
{
    /// <summary>It is not there.</summary>
    Missing,

    /// <summary>It is there, and nothing tells what it was made from.</summary>
    Unrecorded,

    /// <summary>It has other tensors, or other types or shapes.</summary>
    OfOtherOptions,

    /// <summary>It has the same tensors of another checkpoint.</summary>
    OfOtherInput,

    /// <summary>It was written as it should be, and its size or its index have changed since.</summary>
    Changed,

    /// <summary>It is what it should be, as far as its size and its index show.</summary>
    Whole,
}
