using System.Collections.Immutable;
using Fairseq2Llama.Formats;
using Fairseq2Llama.Manifests;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Conversion;

/// <summary>The existing content of the folder that an export writes into.</summary>
/// <param name="Replaced">Names of files that will be replaced.</param>
/// <param name="Stale">Names of files of an earlier export that readers would take for part of the new one.</param>
/// <param name="Warnings">Warnings for the user.</param>
internal sealed record DestinationFolder(
    ImmutableArray<string> Replaced, ImmutableArray<string> Stale, ImmutableArray<string> Warnings)
{
    /// <param name="destination">The folder; it need not exist.</param>
    /// <param name="output">What is to be written.</param>
    /// <param name="format">The format that is written.</param>
    /// <param name="force">Whether files may be replaced.</param>
    /// <exception cref="CheckpointException">It can't be written into, holds what may not be replaced, or has not enough room.</exception>
    public static DestinationFolder Inspect(IExportDestination destination, OutputFiles output, OutputFormat format, bool force)
    {
        destination.RequireFolder(output.Planned.Select(file => file.Name));

        // What a killed export has left is still to be removed; there will be a look at the room then, too.
        if (!ExportLeftovers.AreAt(destination, output.ShardIndex))
        {
            destination.RequireSpace(output.Space);
        }

        return Look(destination.Folder, folder => folder.Exists ? InspectExisting(folder, output, format, force) : new DestinationFolder([], [], []));
    }

    /// <summary>Called once other exports are locked out: another export may have written here since this one was planned.</summary>
    /// <exception cref="CheckpointException">New files have appeared that would be replaced, or would stay as part of the new export.</exception>
    public static void RequireAsPlanned(ConversionPlan plan)
    {
        var folder = plan.Destination.Folder;
        RequireNoObstacle(folder, plan.Folder);

        var names = folder.Identities;
        var planned = plan.Files.Select(file => file.Name).ToHashSet(names);
        var known = plan.ReplacedFiles.Concat(plan.StaleFiles).ToHashSet(names);

        if (Look(folder, _ => folder.FileNames.Order(StringComparer.Ordinal).FirstOrDefault(name => !known.Contains(name) && IsInTheWay(name))) is { } unseen)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"Another export has written {unseen} to '{folder.Path}' in the meantime. Run the export again, with -Force if it shall replace the files, or choose another destination.",
                folder.Path);
        }

        bool IsInTheWay(string name) =>
            planned.Contains(name) || (IsStale(name, plan.Output, plan.Folder, planned) && !plan.Output.NotWritten.Contains(name, names));
    }

    private static DestinationFolder InspectExisting(ICheckpointFolder folder, OutputFiles output, OutputFormat format, bool force)
    {
        var (path, names, rules) = (folder.Path, folder.Identities, format.Folder);
        var present = folder.FileNames.Order(StringComparer.Ordinal).ToArray();
        var planned = output.Planned.Select(file => file.Name).ToHashSet(names);
        var replaced = present.Where(planned.Contains).ToArray();
        var others = present.Where(name => !planned.Contains(name) && !output.NotWritten.Contains(name, names)).ToArray();
        var stale = others.Where(name => IsStale(name, output, rules, planned)).ToArray();
        var inTheWay = replaced.Concat(stale).Where(name => ShardRecord.FileOf(name) is null && !output.Repaired.Contains(name, names)).ToArray();

        RequireNoObstacle(folder, rules);

        if (folder.FolderNames.FirstOrDefault(planned.Contains) is { } taken)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists, $"'{folder.PathOf(taken)}' is a folder, but the export writes a file of that name. Rename the folder, or choose another destination.", path);
        }

        // Even with -Force, a job takes nothing away that other jobs are not done with.
        if (!output.Shards.IsEmpty && stale.Select(ShardRecord.FileOf).FirstOrDefault(file => file is not null) is { } unfinished)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{path}' holds files that jobs have written with other options, such as {unfinished}. Use the same options in all jobs, or choose another folder.",
                path);
        }

        if (!force && inTheWay.Length > 0)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{path}' already holds {string.Join(", ", inTheWay)}. Choose another destination, or replace them with -Force.",
                path);
        }

        if (!force && output.Foreign is not null)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{path}' holds files that jobs have written with other options or from another checkpoint, such as {output.Foreign}. Choose another"
                + " folder, or replace them with -Force.",
                path);
        }

        return new DestinationFolder(
            [.. replaced],
            [.. stale],
            [
                .. FindOtherFormats(folder, format.Format),
                .. output.Repaired.Select(name => $"'{folder.PathOf(name)}' was changed after an earlier run of this job had written it. It is written again."),
                .. !output.Shards.IsEmpty && stale.Contains(output.CommitMarker)
                    ? [$"'{folder.PathOf(output.CommitMarker)}' is removed: until all {output.ShardCount} files are exported again, each with -Force, and the export is completed,"
                        + " there is no checkpoint."]
                    : Array.Empty<string>(),
                .. output.Foreign is null
                    ? (IEnumerable<string>)[]
                    : [$"'{folder.PathOf(output.Foreign)}' was written with other options or from another checkpoint. Run the job for that file with -Force, too."],
                .. from name in others.Except(stale)
                   where rules.FindStumblingBlock(name) is not null
                   select $"'{folder.PathOf(name)}' stays in the folder; {rules.FindStumblingBlock(name)}",
            ]);
    }

    /// <summary>An earlier manifest and signature vouch for other files. As long as jobs write files, nothing may make a checkpoint of them. Jobs of other models and formats may be at work in the same folder.</summary>
    private static bool IsStale(string name, OutputFiles output, FolderRules rules, IReadOnlySet<string> planned) =>
        rules.IsStale(name, planned)
        || name == ManifestNames.For(rules.Stem)
        || (rules.OwnsFolder && name == ModelSignature.FileName)
        || (ShardRecord.FileOf(name) is { } file && rules.IsWritten(file))
        || (!output.Shards.IsEmpty && name == output.CommitMarker);

    /// <summary>Commands that detect the format read only one of them.</summary>
    private static IEnumerable<string> FindOtherFormats(ICheckpointFolder folder, CheckpointFormat format)
    {
        var own = CheckpointFormats.Of(format);

        return
            from other in CheckpointFormats.All
            where other != own && !other.IsReadByFile && !own.IsReadByFile && other.IsIn(folder)
            let first = CheckpointFormats.All.First(format => format == own || format == other)
            select $"'{folder.Path}' also holds a checkpoint in {other.Name}. Commands that detect the format will read the one in {first.Name};"
                + $" for the other one, use {(first == own ? other : own).ReadCommand}.";
    }

    private static void RequireNoObstacle(ICheckpointFolder folder, FolderRules rules)
    {
        if (rules.FindObstacle(folder) is { } obstacle)
        {
            throw new CheckpointException(CheckpointErrorCode.OutputExists, $"'{folder.Path}' {obstacle} Choose another destination.", folder.Path);
        }
    }

    private static T Look<T>(ICheckpointFolder folder, Func<ICheckpointFolder, T> look)
    {
        try
        {
            return look(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(CheckpointErrorCode.WriteFailed, $"'{folder.Path}' can't be listed: {e.Message}", folder.Path, e);
        }
    }
}
