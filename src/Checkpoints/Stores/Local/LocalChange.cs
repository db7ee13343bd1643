using Fairseq2Llama.Native;

namespace Fairseq2Llama.Stores.Local;

/// <summary>
/// Moves and deletes, on Windows in spite of short locks and of read-only files. Whoever moves or deletes something in this folder does it with these
/// methods. They throw what those of .NET throw.
/// </summary>
internal static class LocalChange
{
    private static readonly EnumerationOptions All = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };

    /// <summary>Renames a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="target">Its new path, on the same file system.</param>
    /// <param name="overwrite">Whether a file may be there. .NET copies a file that can't be renamed, unless it may overwrite.</param>
    /// <exception cref="FileInUseException">On Windows, one of the two is open elsewhere, and stays so.</exception>
    public static void Move(string path, string target, bool overwrite)
    {
        try
        {
            TransientLock.Outwait(() => File.Move(path, target, overwrite), TransientLock.CanCause);
        }
        catch (Exception e) when (OperatingSystem.IsWindows() && TransientLock.CanCause(e) && Array.Find([path, target], IsInUse) is { } open)
        {
            // Neither .NET nor Windows says which.
            throw new FileInUseException(open, e);
        }
    }

    /// <summary>Renames a folder. On Windows, no file in it may be open.</summary>
    public static void MoveFolder(string path, string target) => TransientLock.Outwait(() => Directory.Move(path, target), TransientLock.CanCause);

    /// <summary>Deletes a file, if it is there.</summary>
    public static void Delete(string path) => TransientLock.Outwait(
        () =>
        {
            AllowDeletion(new FileInfo(path));
            File.Delete(path);
        },
        TransientLock.CanCause);

    /// <summary>Deletes a folder with all that is in it.</summary>
    public static void DeleteFolder(string path) => TransientLock.Outwait(
        () =>
        {
            if (OperatingSystem.IsWindows())
            {
                foreach (var entry in new DirectoryInfo(path).EnumerateFileSystemInfos("*", All).Prepend(new DirectoryInfo(path)))
                {
                    AllowDeletion(entry);
                }
            }

            Directory.Delete(path, recursive: true);

            // .NET calls it done if a file in it only goes when somebody else closes it.
            if (OperatingSystem.IsWindows() && Directory.Exists(path))
            {
                throw new IOException($"'{path}' is still there: another program has a file in it open.");
            }
        },
        TransientLock.CanKeepFolder);

    /// <summary>Deletes a folder that has nothing in it.</summary>
    public static void DeleteEmptyFolder(string path) => TransientLock.Outwait(() => Directory.Delete(path), TransientLock.CanCause);

    /// <summary>Creates a folder, unless it is there.</summary>
    public static void CreateFolder(string path) => TransientLock.Outwait(() => Directory.CreateDirectory(path), TransientLock.CanBeOfDeleted);

    private static bool IsInUse(string path)
    {
        try
        {
            using var handle = File.OpenHandle(path, share: FileShare.None);
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return TransientLock.IsSharingViolation(e);
        }
    }

    /// <summary>Windows deletes nothing that is read-only, and moves it all the same.</summary>
    private static void AllowDeletion(FileSystemInfo entry)
    {
        if (OperatingSystem.IsWindows() && entry.Exists && entry.Attributes.HasFlag(FileAttributes.ReadOnly))
        {
            entry.Attributes &= ~FileAttributes.ReadOnly;
        }
    }
}
