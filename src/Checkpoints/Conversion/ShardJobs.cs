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
    /// <param name="rules">The meaning of the file names there.</param>
    /// <param name="destination">Where other jobs write.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There are no such files, or the files of other jobs are missing or of another export.</exception>
    public static OutputFiles Select(
        OutputFiles whole, ExportOptions options, FolderRules rules, ICheckpointFolder destination, CancellationToken cancellationToken) =>
        options.CompleteShards ? SelectRest(whole, rules, destination, cancellationToken)
        : options.ShardIndex.IsEmpty ? whole
        : SelectShards(whole, options, destination, cancellationToken);

    private static OutputFiles SelectShards(OutputFiles whole, ExportOptions options, ICheckpointFolder destination, CancellationToken cancellationToken)
    {
        var files = whole.TensorFiles;
        RequireIndexes(options.ShardIndex, files.Length);

        PlannedTensorFile[] own = [.. options.ShardIndex.Distinct().Order().Select(index => files[index])];
        PlannedTensorFile[] written = [.. own.Where(file => !options.Force && IsWritten(file, destination, cancellationToken))];
        PlannedTensorFile[] done = [.. written.Where(file => IsWhole(file, destination))];
        PlannedTensorFile[] left = [.. own.Except(done)];
        PlannedTensorFile[] others = [.. files.Except(own)];

        return whole with
        {
            Planned = [.. left, .. left.Select(file => new PlannedShardRecord(file))],
            NotWritten = [.. whole.NotWritten, .. others.Concat(done).SelectMany(NamesOf)],
            Repaired = [.. written.Except(done).Select(file => file.Name)],
            Foreign = FindForeign(others, destination),
            Shards = [.. own.Select(file => new ExportedShard(
                file.Name, destination.PathOf(file.Name), files.IndexOf(file), files.Length, file.Length, isSkipped: done.Contains(file)))],
            Reason = $"{whole.Reason} {Describe("This job writes", left)}{Describe("An earlier run of this job has written", done)}".TrimEnd(),
        };
    }

    private static OutputFiles SelectRest(OutputFiles whole, FolderRules rules, ICheckpointFolder destination, CancellationToken cancellationToken)
    {
        var files = whole.TensorFiles;
        var records = files.Select(file => ShardRecord.Find(file, destination)).ToArray();

        if (destination.HasFile(rules.CommitMarker) && records.All(record => record is null))
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{destination.Path}' already holds {rules.CommitMarker}, and no files that jobs have written since: there is nothing to complete.",
                destination.Path);
        }

        CheckpointException.ThrowIfAny(
            files.Select((file, index) => FindProblem(file, records[index], index, destination, cancellationToken)).OfType<CheckpointFinding>(),
            $"The export to '{destination.Path}' can't be completed",
            "Run the jobs for these indexes.");

        return whole with
        {
            Planned = [.. whole.Planned.Except(files)],
            NotWritten = [.. whole.NotWritten, .. files.SelectMany(NamesOf)],
            Consumed = [.. files.Select(ShardRecord.NameFor)],
            InPlace = [.. files.Select((file, index) => CheckOf(file, records[index]!, index))],
            Reason = $"{whole.Reason} Jobs have written them; this step checks them and writes all other files.",
        };
    }

    private static string[] NamesOf(PlannedTensorFile file) => [file.Name, ShardRecord.NameFor(file)];

    /// <summary>What keeps a file from being part of the export.</summary>
    private static CheckpointFinding? FindProblem(
        PlannedTensorFile file, ShardRecord? record, int index, ICheckpointFolder destination, CancellationToken cancellationToken)
    {
        var (code, problem) =
            !destination.HasFile(file.Name) ? (CheckpointErrorCode.MissingShard, "is missing")
            : record is null ? (CheckpointErrorCode.MissingShard, "was not written by a job of this export; use -Force")
            : record.Layout != ShardFingerprint.OfLayout(file) ? (CheckpointErrorCode.ShardMismatch, "was written with other options or from another checkpoint; use -Force")
            : record.Inputs != ShardFingerprint.OfInputs(file, cancellationToken) ? (CheckpointErrorCode.ShardMismatch, "was written from another checkpoint; use -Force")
            : !IsWhole(file, destination) ? (CheckpointErrorCode.CheckpointCorrupt, "was changed after its job had written it")
            : (CheckpointErrorCode.MissingShard, null);

        return problem is null
            ? null
            : new CheckpointFinding(
                FindingSeverity.Error, code, string.Create(CultureInfo.InvariantCulture, $"'{file.Name}' (-ShardIndex {index}) {problem}"), File: destination.PathOf(file.Name));
    }

    /// <summary>Whether an earlier run has written a file from the same input.</summary>
    private static bool IsWritten(PlannedTensorFile file, ICheckpointFolder destination, CancellationToken cancellationToken) =>
        destination.HasFile(file.Name)
        && ShardRecord.Find(file, destination) is { } record
        && record.Layout == ShardFingerprint.OfLayout(file)
        && record.Inputs == ShardFingerprint.OfInputs(file, cancellationToken);

    /// <summary>Whether a file that a job has written is still as it was then, as far as its size and its index show.</summary>
    private static bool IsWhole(PlannedTensorFile file, ICheckpointFolder destination)
    {
        try
        {
            CheckOf(file, ShardRecord.Find(file, destination)!, index: 0).CompareIndex(destination.SourceOf(file.Name));
            return true;
        }
        catch (CheckpointException)
        {
            return false;
        }
    }

    private static WrittenFileCheck CheckOf(PlannedTensorFile file, ShardRecord record, int index) =>
        new(file, file.Layout.Storages.Zip(record.Checksums).ToDictionary(pair => pair.First.Storage, pair => pair.Second))
        {
            Code = CheckpointErrorCode.CheckpointCorrupt,
            Remedy = string.Create(CultureInfo.InvariantCulture, $"It was changed after its job had written it. Run that job again, with -ShardIndex {index} -Force."),
        };

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
