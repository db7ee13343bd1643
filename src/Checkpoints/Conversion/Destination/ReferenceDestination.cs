using System.Collections.Immutable;
using Fairseq2Llama.Reference;
using Fairseq2Llama.Sources;

namespace Fairseq2Llama.Conversion.Destination;

/// <summary>What the folder that an export will write into holds already.</summary>
/// <param name="Replaced">Names of files that will be replaced.</param>
/// <param name="Stale">Names of files of an earlier export that would be taken for part of the new one.</param>
/// <param name="Warnings">What may surprise.</param>
internal sealed record ReferenceDestination(
    ImmutableArray<string> Replaced, ImmutableArray<string> Stale, ImmutableArray<string> Warnings)
{
    private static readonly StringComparer FileNames = RealPath.Comparer;

    /// <param name="path">The folder; it need not exist.</param>
    /// <param name="files">What is to be written.</param>
    /// <param name="ranks">The shards among it; empty if that is all.</param>
    /// <param name="shardCount">How many shards the export has.</param>
    /// <param name="force">Whether files may be replaced.</param>
    /// <exception cref="CheckpointException">It can't be written into, holds what may not be replaced, or has not enough room.</exception>
    public static ReferenceDestination Inspect(string path, IReadOnlyList<PlannedFile> files, IReadOnlyCollection<int> ranks, int shardCount, bool force)
    {
        RequireFolder(path);

        // What a killed export has left is still to be removed; there will be a look at the room then, too.
        if (!ExportLeftovers.AreAt(path, ranks))
        {
            DiskSpace.Require(path, files);
        }

        return Directory.Exists(path) ? InspectExisting(path, files, shardCount, force) : new ReferenceDestination([], [], []);
    }

    /// <summary>Comes when nobody else can come any more: since it was planned another export may have been here.</summary>
    /// <exception cref="CheckpointException">Files are there that were not, and would be replaced or stay as part of the new export.</exception>
    public static void RequireAsPlanned(ConversionPlan plan)
    {
        var path = plan.DestinationPath;
        var known = plan.ReplacedFiles.Concat(plan.StaleFiles).ToHashSet(FileNames);
        var shards = Enumerable.Range(0, plan.ShardCount).Select(ReferenceShard.NameOf).ToHashSet(FileNames);

        if (List(path).Files.Order(StringComparer.Ordinal).FirstOrDefault(name => !known.Contains(name) && IsInTheWay(name)) is { } unseen)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{path}' has got {unseen} from another export meanwhile. Choose another folder, or replace what is there with -Force.",
                path);
        }

        bool IsInTheWay(string name) => plan.Files.FirstOrDefault(file => FileNames.Equals(file.Name, name)) is { } file
            ? file is not PlannedTextFile { IsShared: true } shared || !shared.IsAlreadyAt(Path.Combine(path, name))
            : IsStale(name, shards);
    }

    /// <summary>Readers load every shard that lies there; and a checklist names files that are not these.</summary>
    private static bool IsStale(string name, HashSet<string> shards) =>
        (ReferenceShard.IsNameOfOne(name) && !shards.Contains(name)) || FileNames.Equals(name, PlannedChecklist.FileName);

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

    private static ReferenceDestination InspectExisting(string path, IReadOnlyList<PlannedFile> files, int shardCount, bool force)
    {
        var (present, folders) = List(path);
        var planned = files.Select(file => file.Name).ToHashSet(FileNames);
        var shared = files.OfType<PlannedTextFile>().Where(file => file.IsShared).ToArray();
        var kept = shared.Where(file => file.IsAlreadyAt(Path.Combine(path, file.Name))).Select(file => file.Name).ToHashSet(FileNames);
        var replaced = present.Where(name => planned.Contains(name) && !kept.Contains(name)).ToArray();
        var shards = Enumerable.Range(0, shardCount).Select(ReferenceShard.NameOf).ToHashSet(FileNames);
        var stale = present.Where(name => !planned.Contains(name) && IsStale(name, shards)).ToArray();

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

        return new ReferenceDestination(
            [.. replaced],
            [.. stale],
            [
                .. from name in present.Except(replaced).Except(stale)
                   where name.EndsWith(".pth", StringComparison.OrdinalIgnoreCase) && !shards.Contains(name)
                   select $"'{Path.Combine(path, name)}' stays where it is; readers that load every *.pth of a folder will stumble over it.",
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
            throw new CheckpointException(CheckpointErrorCode.WriteFailed, $"'{path}' can't be looked into: {e.Message}", path, e);
        }
    }
}
