using Fairseq2Llama.Native;

namespace Fairseq2Llama.Stores.Local;

/// <summary>
/// Puts an export in the place of an earlier one in one step: the new folder and the old one swap their names. That takes a folder with
/// nothing else in it, which would be gone; others have their files replaced one by one, by <see cref="FolderCommit"/>.
/// </summary>
internal static class FolderExchange
{
    /// <summary>Whether a folder can be replaced as a whole.</summary>
    /// <exception cref="IOException">It can't be listed.</exception>
    public static bool CanReplace(string destination, FolderChange change)
    {
        var leaving = change.Leaving.ToHashSet(StringComparer.Ordinal);

        return change.OwnsFolder
            && leaving.Count > 0
            && change.Shards.IsEmpty
            && Directory.EnumerateFileSystemEntries(destination).All(entry => leaving.Contains(Path.GetFileName(entry)))
            && FolderSwap.KeepsAllOf(destination);
    }

    /// <summary>Swaps both. Afterwards the old files are where the new ones were.</summary>
    /// <exception cref="IOException">They can't be swapped; nothing has changed.</exception>
    public static void Run(string folder, string destination, bool flush)
    {
        FolderSwap.Run(folder, destination);

        try
        {
            if (!OperatingSystem.IsWindows() && FileStatus.Find(folder, followLink: false) is { } old)
            {
                File.SetUnixFileMode(destination, old.Permissions);
            }

            if (flush)
            {
                Flush(folder, destination);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            FolderSwap.Run(folder, destination);
            throw;
        }
    }

    private static void Flush(string folder, string destination)
    {
        DiskFlush.Folder(Path.GetDirectoryName(folder)!);
        DiskFlush.Folder(Path.GetDirectoryName(destination)!);
    }
}
