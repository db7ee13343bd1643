using System.Globalization;
using Fairseq2Llama.Native;

namespace Fairseq2Llama.Stores.Local;

/// <summary>Resolves every symbolic link in a path, to find out whether two paths lead to one file.</summary>
internal static class RealPath
{
    /// <summary>As in Linux, more links than this count as a loop.</summary>
    private const int MaxLinks = 40;

    /// <summary>How names are compared on this system: Windows and macOS ignore case.</summary>
    public static StringComparer Comparer { get; } =
        OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;

    /// <summary>
    /// The same for all paths that lead to one file, also where its folder is mounted in several places; to be compared by <see cref="Comparer"/>.
    /// Another name of the file in another folder counts as another file: to replace one leaves the other as it is.
    /// </summary>
    /// <param name="path">An absolute path; the end of it need not exist.</param>
    public static string IdentityOf(string path)
    {
        var real = Of(path);

        if (OperatingSystem.IsWindows())
        {
            real = WindowsFile.LongPathOf(real);
        }

        try
        {
            return Path.GetDirectoryName(real) is { } folder && FolderIdentityOf(folder) is { } identity ? $"{identity}/{Path.GetFileName(real)}" : real;
        }
        catch (IOException)
        {
            return real;
        }
    }

    private static string? FolderIdentityOf(string folder) => OperatingSystem.IsWindows() ? WindowsFile.IdentityOf(folder)
        : FileStatus.Find(folder, followLink: true) is { } status ? string.Create(CultureInfo.InvariantCulture, $"{status.Device}:{status.Inode}")
        : null;

    /// <param name="path">An absolute path; the end of it need not exist.</param>
    public static string Of(string path) => Follow(Path.GetFullPath(path), MaxLinks);

    private static string Follow(string path, int linksLeft)
    {
        var resolved = Path.GetPathRoot(path)!;
        var names = path[resolved.Length..].Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries);

        for (var i = 0; i < names.Length; i++)
        {
            resolved = Path.Combine(resolved, names[i]);

            if (linksLeft > 0 && TargetOf(resolved) is { } target)
            {
                return Follow(Path.GetFullPath(Path.Combine([target, .. names[(i + 1)..]])), linksLeft - 1);
            }
        }

        return resolved;
    }

    private static string? TargetOf(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: false)?.FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is not there, or can't be inspected, is not a link that could be followed.
            return null;
        }
    }
}
