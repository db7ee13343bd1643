using System.Globalization;

namespace Fairseq2Llama.Conversion.Destination;

/// <summary>Finds out before writing whether there is room for the result.</summary>
internal static class DiskSpace
{
    /// <exception cref="CheckpointException">There is not.</exception>
    public static void Require(string path, IReadOnlyList<PlannedFile> files)
    {
        // Deflated storages are inflated beside the output first, so that they can be read at any place.
        var scratch = files.OfType<PlannedTorchFile>()
            .SelectMany(file => file.Layout.Storages)
            .SelectMany(storage => storage.Runs)
            .Select(runs => runs.Storage)
            .Distinct()
            .Sum(storage => storage.DeflatedLength is null ? 0 : storage.Length);

        var needed = files.Sum(file => file.Length) + scratch;

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
