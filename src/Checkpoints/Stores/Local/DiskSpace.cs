using System.Globalization;
using Fairseq2Llama.Native;

namespace Fairseq2Llama.Stores.Local;

/// <summary>Finds out before writing whether there is room for the result.</summary>
internal static class DiskSpace
{
    private static readonly string[] FormatsThatShare = ["xfs", "btrfs", "bcachefs"];

    /// <exception cref="CheckpointException">There is not.</exception>
    public static void Require(string path, RequiredSpace space)
    {
        var mayShare = MayShareWith(path);

        // Blocks that are shared with the input take no room.
        var shareable = space.Unchanged
            .Where(range => range.Source is LocalFile && BlockSharing.IsAligned(range))
            .GroupBy(range => range.Source)
            .Where(group => mayShare(group.Key.Name))
            .Sum(group => group.Sum(range => range.Length));

        Require(path, space.Length + space.Scratch - shareable);
    }

    /// <exception cref="CheckpointException">There is not.</exception>
    public static void Require(string path, long needed)
    {
        if (Available(path) is { } available && available < needed)
        {
            throw new CheckpointException(
                CheckpointErrorCode.InsufficientDiskSpace,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{path}' needs {needed:N0} bytes, but its file system has only {available:N0} left. Free some space, or choose another folder."),
                path);
        }
    }

    /// <summary>
    /// Whether files at two paths may share blocks, so that a copy takes no room. Whether that comes true shows when they are written, and where
    /// it does not, room is asked for then.
    /// </summary>
    private static Func<string, bool> MayShareWith(string path)
    {
        var drives = DriveInfo.GetDrives();
        var drive = DriveOf(path, drives);

        return drive is not null && FormatsThatShare.Contains(FormatOf(drive)) ? other => DriveOf(other, drives) == drive : _ => false;
    }

    /// <summary>Bytes left for this user where the path is or will be; null where the operating system does not say.</summary>
    public static long? Available(string path)
    {
        var existing = path;

        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
        {
            existing = parent;
        }

        if (OperatingSystem.IsWindows())
        {
            return WindowsFile.AvailableSpaceIn(existing);
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
}
