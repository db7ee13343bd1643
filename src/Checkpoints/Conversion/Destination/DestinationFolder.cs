using System.Collections.Immutable;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Conversion.Destination;

/// <summary>What the folder that an export will write into holds already.</summary>
/// <param name="Replaced">Names of files that will be replaced.</param>
/// <param name="Stale">Names of files of an earlier export that would be taken for part of the new one.</param>
/// <param name="Warnings">What may surprise.</param>
internal sealed record DestinationFolder(
    ImmutableArray<string> Replaced, ImmutableArray<string> Stale, ImmutableArray<string> Warnings)
{
    private static readonly StringComparer FileNames = RealPath.Comparer;

    /// <param name="path">The folder; it need not exist.</param>
    /// <param name="output">What is to be written.</param>
    /// <param name="rules">What the names of files there mean.</param>
    /// <param name="force">Whether files may be replaced.</param>
    /// <exception cref="CheckpointException">It can't be written into, holds what may not be replaced, or has not enough room.</exception>
    public static DestinationFolder Inspect(string path, OutputFiles output, FolderRules rules, bool force)
    {
        RequireFolder(path);

        // What a killed export has left is still to be removed; there will be a look at the room then, too.
        if (!ExportLeftovers.AreAt(path, output.ShardIndex))
        {
            RequiredSpace.Require(path, output.Planned);
        }

        try
        {
            return Directory.Exists(path) ? InspectExisting(path, output, rules, force) : new DestinationFolder([], [], []);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>Comes when nobody else can come any more: since it was planned another export may have been here.</summary>
    /// <exception cref="CheckpointException">Files are there that were not, and would be replaced or stay as part of the new export.</exception>
    public static void RequireAsPlanned(ConversionPlan plan)
    {
        var path = plan.DestinationPath;
        RequireNoObstacle(path, plan.Folder);

        var planned = plan.Files.Select(file => file.Name).ToHashSet(FileNames);
        var known = plan.ReplacedFiles.Concat(plan.StaleFiles).ToHashSet(FileNames);

        if (List(path).Files.Order(StringComparer.Ordinal).FirstOrDefault(name => !known.Contains(name) && IsInTheWay(name)) is { } unseen)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{path}' has got {unseen} from another export meanwhile. Choose another folder, or replace what is there with -Force.",
                path);
        }

        bool IsInTheWay(string name) => plan.Files.FirstOrDefault(file => FileNames.Equals(file.Name, name)) is { } file
            ? file is not PlannedTextFile { IsShared: true } shared || !shared.IsAlreadyAt(Path.Combine(path, name))
            : plan.Folder.IsStale(name, planned) && !plan.Output.NotWritten.Contains(name, FileNames);
    }

    /// <summary>Neither the destination nor any folder above it may be a file.</summary>
    private static void RequireFolder(string path)
    {
        for (var folder = path; folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(folder))
            {
                var what = File.ResolveLinkTarget(folder, returnFinalTarget: true) is { Exists: false } ? "a link that leads nowhere" : "a file";
                throw new CheckpointException(
                    CheckpointErrorCode.OutputExists, $"'{folder}' is {what}. Give a folder that the exported files shall lie in.", path);
            }
        }
    }

    private static DestinationFolder InspectExisting(string path, OutputFiles output, FolderRules rules, bool force)
    {
        var (present, folders) = List(path);
        var planned = output.Planned.Select(file => file.Name).ToHashSet(FileNames);
        var shared = output.Planned.OfType<PlannedTextFile>().Where(file => file.IsShared).ToArray();
        var kept = shared.Where(file => file.IsAlreadyAt(Path.Combine(path, file.Name))).Select(file => file.Name).ToHashSet(FileNames);
        var replaced = present.Where(name => planned.Contains(name) && !kept.Contains(name)).ToArray();
        var others = present.Where(name => !planned.Contains(name) && !output.NotWritten.Contains(name, FileNames)).ToArray();
        var stale = others.Where(name => rules.IsStale(name, planned)).ToArray();

        RequireNoObstacle(path, rules);

        if (folders.FirstOrDefault(planned.Contains) is { } folder)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists, $"'{Path.Combine(path, folder)}' is a folder, and a file of that name is to be written.", path);
        }

        if (!force && replaced.Length + stale.Length > 0)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{path}' already holds {string.Join(", ", replaced.Concat(stale))}. Choose another folder, or replace them with -Force.",
                path);
        }

        if (!force && output.Foreign.Length > 0)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{path}' holds shards of another export: {string.Join(", ", output.Foreign.Select(file => Path.GetFileName(file)))}. Choose another"
                + " folder, or begin to replace them with -Force.",
                path);
        }

        return new DestinationFolder(
            [.. replaced],
            [.. stale],
            [
                .. output.Foreign.Select(file => $"'{file}' is of another export; a job with that shard has to replace it."),
                .. from name in others.Except(stale)
                   where rules.FindStumblingBlock(name) is not null
                   select $"'{Path.Combine(path, name)}' stays where it is; {rules.FindStumblingBlock(name)}",
            ]);
    }

    private static (string[] Files, string[] Folders) List(string path)
    {
        try
        {
            return (
                [.. Directory.EnumerateFiles(path).Select(file => Path.GetFileName(file))],
                [.. Directory.EnumerateDirectories(path).Select(folder => Path.GetFileName(folder))]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }
    }

    private static void RequireNoObstacle(string path, FolderRules rules)
    {
        if (rules.FindObstacle(path) is { } obstacle)
        {
            throw new CheckpointException(CheckpointErrorCode.OutputExists, $"'{path}' {obstacle} Choose another folder.", path);
        }
    }

    private static CheckpointException Unreadable(string path, Exception cause) =>
        new(CheckpointErrorCode.WriteFailed, $"'{path}' can't be looked into: {cause.Message}", path, cause);
}
