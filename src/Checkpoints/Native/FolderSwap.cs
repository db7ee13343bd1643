using System.Runtime.InteropServices;
using System.Text;

namespace Fairseq2Llama.Native;

/// <summary>
/// Swaps the names of two folders in a single step, so that both names exist at every moment. Linux can (RENAME_EXCHANGE in renameat2(2)),
/// on most of its own file systems.
/// </summary>
internal static partial class FolderSwap
{
    private const int CurrentFolder = -100;
    private const uint ExchangeNames = 2;
    private const string SystemAttributes = "security.";

    /// <summary>Tries it out in a folder.</summary>
    public static bool IsPossibleIn(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        var (left, right) = (Path.Combine(folder, "swap-left"), Path.Combine(folder, "swap-right"));
        Directory.CreateDirectory(left);
        Directory.CreateDirectory(right);
        var isPossible = TryExchange(left, right);
        Directory.Delete(left);
        Directory.Delete(right);
        return isPossible;
    }

    /// <summary>
    /// Whether a new folder can fully replace an old one: it is an ordinary folder of this user, who may write into it, nothing is
    /// mounted there or in it, and it has no access list and no other attribute that would be lost.
    /// </summary>
    public static bool KeepsAllOf(string folder) =>
        OperatingSystem.IsLinux()
        && FileStatus.Find(folder, followLink: false) is { IsFolder: true, IsOurs: true, IsMountPoint: false } status
        && status.Permissions.HasFlag(UnixFileMode.UserWrite | UnixFileMode.UserExecute)
        && Directory.EnumerateFileSystemEntries(folder).All(entry => FileStatus.Find(entry, followLink: false) is { IsMountPoint: false })
        && Path.GetDirectoryName(folder) is { } parent && FileStatus.Find(parent, followLink: true)?.Device == status.Device
        && !HasAttributes(folder);

    /// <exception cref="IOException">They can't be swapped; nothing has changed.</exception>
    public static void Run(string left, string right)
    {
        if (!TryExchange(left, right))
        {
            throw Posix.Error(right, "can't be replaced", Posix.LastError);
        }
    }

    private static bool TryExchange(string left, string right) => Rename(CurrentFolder, left, CurrentFolder, right, ExchangeNames) == 0;

    /// <summary>The attributes that a security module gives to every file, which the new folder gets as well.</summary>
    private static bool HasAttributes(string folder)
    {
        var names = new byte[1024];
        var length = ListAttributes(folder, names, (nuint)names.Length);

        // If they can't be listed, there may be some, unless the file system has none.
        return length < 0
            ? Posix.LastError != Posix.NotSupported
            : Encoding.UTF8.GetString(names, 0, (int)length)
                .Split('\0', StringSplitOptions.RemoveEmptyEntries)
                .Any(name => !name.StartsWith(SystemAttributes, StringComparison.Ordinal));
    }

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(int folder, string path, int newFolder, string newPath, uint flags);

    [LibraryImport("libc", EntryPoint = "listxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint ListAttributes(string path, byte[] names, nuint size);
}
