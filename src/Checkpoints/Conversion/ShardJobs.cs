using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Conversion;

/// <summary>
/// Divides an export between jobs, whatever the format: each job writes some of the tensor files, and a last step checks all of them and writes the
/// other files. What a job does depends on the input and its indexes alone.
/// </summary>
internal static class ShardJobs
{
    /// <summary>The part of an export that its options ask for.</summary>
    /// <param name="whole">All files.</param>
    /// <param name="options">Which of them.</param>
    /// <param name="destination">Where other jobs write.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There are no such files, or the files of other jobs are missing or of another export.</exception>
    public static OutputFiles Select(OutputFiles whole, ExportOptions options, ICheckpointFolder destination, CancellationToken cancellationToken) =>
        options.CompleteShards ? SelectRest(whole, destination, cancellationToken)
        : options.ShardIndex.IsEmpty ? whole
        : SelectShards(whole, options, destination, cancellationToken);

    private static OutputFiles SelectShards(OutputFiles whole, ExportOptions options, ICheckpointFolder destination, CancellationToken cancellationToken)
    {
        var files = whole.TensorFiles;
        RequireIndexes(options.ShardIndex, files.Length);

        int[] indexes = [.. options.ShardIndex.Distinct().Order()];
        JobShard[] found = options.Force ? [] : [.. indexes.Select(index => JobShard.Find(files[index], index, destination, cancellationToken))];
        PlannedTensorFile[] own = [.. indexes.Select(index => files[index])];
        PlannedTensorFile[] done = [.. found.Where(shard => shard.State == ShardState.Whole).Select(shard => shard.File)];
        PlannedTensorFile[] left = [.. own.Except(done)];
        PlannedTensorFile[] others = [.. files.Except(own)];

        return whole with
        {
            Planned = [.. left, .. left.Select(file => new PlannedShardRecord(file))],
            NotWritten = [.. whole.NotWritten, .. others.Concat(done).SelectMany(NamesOf)],
            Repaired = [.. found.Where(shard => shard.State == ShardState.Changed).Select(shard => shard.File.Name)],
            Foreign = FindForeign(others, destination),
            Shards = [.. own.Select(file => new ExportedShard(
                file.Name, destination.PathOf(file.Name), files.IndexOf(file), files.Length, file.Length, isSkipped: done.Contains(file)))],
            Reason = $"{whole.Reason} {Describe("This job writes", left)}{Describe("An earlier run of this job has written", done)}".TrimEnd(),
        };
    }

    private static OutputFiles SelectRest(OutputFiles whole, ICheckpointFolder destination, CancellationToken cancellationToken)
    {
        var files = whole.TensorFiles;
        JobShard[] shards = [.. files.Select((file, index) => JobShard.Find(file, index, destination, cancellationToken))];

        if (destination.HasFile(whole.CommitMarker) && Array.TrueForAll(shards, shard => shard.Record is null))
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{destination.Path}' already holds {whole.CommitMarker}, and no files that jobs have written since: there is nothing to complete.",
                destination.Path);
        }

        CheckpointException.ThrowIfAny(
            shards.Select(shard => shard.FindProblem(destination)).OfType<CheckpointFinding>(),
            $"The export to '{destination.Path}' can't be completed",
            "Run the jobs for these indexes.");

        return whole with
        {
            Planned = [.. whole.Planned.Except(files)],
            NotWritten = [.. whole.NotWritten, .. files.SelectMany(NamesOf)],
            Consumed = [.. files.Select(ShardRecord.NameFor)],
            InPlace = [.. shards.Select(shard => shard.Check)],
            Reason = $"{whole.Reason} Jobs have written them; this step checks them and writes all other files.",
        };
    }

    private static string[] NamesOf(PlannedTensorFile file) => [file.Name, ShardRecord.NameFor(file)];

    /// <summary>One is enough: each job has looked at another one, and the last step looks at all.</summary>
    private static string? FindForeign(IEnumerable<PlannedTensorFile> others, ICheckpointFolder destination) =>
        others.Select(file => (File: file, Record: ShardRecord.Find(file, destination))).FirstOrDefault(other => other.Record is not null) is ({ } file, { } record)
            && record.Layout != ShardFingerprint.OfLayout(file)
            ? file.Name
            : null;

    private static string Describe(string what, PlannedTensorFile[] files) => files.Length == 0 ? "" : $"{what} {string.Join(", ", files.Select(file => file.Name))}. ";

    private static void RequireIndexes(ImmutableArray<int> indexes, int count) => CheckpointException.ThrowIfAny(
        from index in indexes
        where index < 0 || index >= count
        select new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.MissingShard, index.ToString(CultureInfo.InvariantCulture)),
        "-ShardIndex names files that do not exist",
        count == 1 ? "The only index is 0." : $"The {count} indexes are 0 to {count - 1}.");
}
