namespace Fairseq2Llama.Conversion.Destination;

/// <summary>Takes away what is of no use any more. Never throws: what else went wrong matters more, and the next export tries again.</summary>
internal static class Discard
{
    public static void File(string path) => Try(() => System.IO.File.Delete(path));

    public static void Folder(string path) => Try(() => Directory.Delete(path, recursive: true));

    /// <summary>Leaves it where it is if something is in it.</summary>
    /// <returns>Whether it is gone.</returns>
    public static bool EmptyFolder(string path) => Try(() => Directory.Delete(path));

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
