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
    public static void Move(string path, string target, bool overwrite) =>
        TransientLock.Outwait(() => File.Move(path, target, overwrite), TransientLock.CanCause);

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
    public static void CreateFolder(string path) => TransientLock.Outwait(() => Directory.CreateDirectory(path), TransientLock.CanCause);

    /// <summary>Windows deletes nothing that is read-only, and moves it all the same.</summary>
    private static void AllowDeletion(FileSystemInfo entry)
    {
        if (OperatingSystem.IsWindows() && entry.Exists && entry.Attributes.HasFlag(FileAttributes.ReadOnly))
        {
            entry.Attributes &= ~FileAttributes.ReadOnly;
        }
    }
}
