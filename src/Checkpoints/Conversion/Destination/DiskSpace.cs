using System.Globalization;
using Fairseq2Llama.Conversion.Files;
using Fairseq2Llama.Sources;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Conversion.Destination;

/// <summary>Finds out before writing whether there is room for the result.</summary>
internal static class DiskSpace
{
    private static readonly string[] FormatsThatShare = ["xfs", "btrfs", "bcachefs"];

    /// <exception cref="CheckpointException">There is not.</exception>
    public static void Require(string path, IReadOnlyList<PlannedFile> files)
    {
        // Deflated storages are inflated beside the output first, so that they can be read at any place.
        var scratch = files.OfType<PlannedTensorFile>()
            .SelectMany(file => file.Layout.Storages)
            .SelectMany(placed => placed.Storage.Runs)
            .Select(runs => runs.Storage)
            .Distinct()
            .Sum(InflatedLength);

        Require(path, files.Sum(file => file.Length) + scratch - Shareable(path, files));
    }

    /// <inheritdoc cref="Require(string, IReadOnlyList{PlannedFile})"/>
    public static void Require(string path, long needed)
    {
        if (Available(path) is { } available && available < needed)
        {
            throw new CheckpointException(
                CheckpointErrorCode.InsufficientDiskSpace,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{path}' needs {needed:N0} bytes and its file system has {available:N0} left. Free some, or choose another folder."),
                path);
        }
    }

    /// <summary>Bytes that a storage takes beside its file while it is being read.</summary>
    public static long InflatedLength(TorchStorage storage) => storage.DeflatedLength is null ? 0 : storage.Length;

    /// <summary>
    /// Bytes that take no room, because they can share the blocks of the input. Whether that comes true shows when they are written, and where
    /// it does not, room is asked for then.
    /// </summary>
    private static long Shareable(string path, IReadOnlyList<PlannedFile> files)
    {
        var drives = DriveInfo.GetDrives();
        var drive = DriveOf(path, drives);

        return drive is not null && FormatsThatShare.Contains(FormatOf(drive))
            ? files.OfType<PlannedTensorFile>()
                .SelectMany(file => file.Layout.Storages)
                .Where(placed => placed.MayShareBlocks)
                .GroupBy(placed => placed.Storage.UnchangedInput!.Source)
                .Where(group => DriveOf(group.Key.Name, drives) == drive)
                .Sum(group => group.Sum(placed => placed.Storage.Length))
            : 0;
    }

    private static DriveInfo? DriveOf(string path, DriveInfo[] drives)
    {
        var real = AsFolder(RealPath.Of(path));
        return drives.Where(drive => real.StartsWith(AsFolder(drive.Name), StringComparison.Ordinal)).MaxBy(drive => drive.Name.Length);

        static string AsFolder(string path) => Path.EndsInDirectorySeparator(path) ? path : path + Path.DirectorySeparatorChar;
    }

    private static string FormatOf(DriveInfo drive)
    {
        try
        {
            return drive.DriveFormat;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>Bytes left for this user where the path is or will be; null where the operating system does not say.</summary>
    public static long? Available(string path)
    {
        var existing = path;

        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
        {
            existing = parent;
        }

        try
        {
            // Pseudo file systems such as /proc have no size at all; let writing fail and say why.
            var drive = new DriveInfo(existing);
            return drive.TotalSize == 0 ? null : drive.AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
