namespace Fairseq2Llama.Stores.Local;

/// <summary>Removes what is no longer needed. Never throws: the original error matters more, and the next export tries again.</summary>
internal static class Discard
{
    /// <returns>Whether it is gone.</returns>
    public static bool File(string path) => Try(() => LocalChange.Delete(path));

    public static void Folder(string path) => Try(() => LocalChange.DeleteFolder(path));

    /// <summary>Leaves it where it is if something is in it.</summary>
    /// <returns>Whether it is gone.</returns>
    public static bool EmptyFolder(string path) => Try(() => LocalChange.DeleteEmptyFolder(path));

    /// <summary>Moves a file or folder to where nothing is.</summary>
    /// <returns>Whether it is there now.</returns>
    public static bool TryMove(string path, string target) => Try(() =>
    {
        if (Path.Exists(target))
        {
            throw new IOException($"'{target}' already exists.");
        }

        if (Directory.Exists(path))
        {
            LocalChange.MoveFolder(path, target);
        }
        else
        {
            LocalChange.Move(path, target, overwrite: true);
        }
    });

    /// <summary>The entries of a folder; none if it can't be listed.</summary>
    public static string[] Entries(string folder, Func<string, IEnumerable<string>> enumerate)
    {
        string[] entries = [];
        Try(() => entries = [.. enumerate(folder)]);
        return entries;
    }

    private static bool Try(Action work)
    {
        try
        {
            work();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
