namespace Fairseq2Llama.Stores.Local;

/// <summary>
/// Writes a small file so that it is there whole or as it was: beside its place first, then by one rename. The name of what is beside it is
/// always the same, so that the next one takes away what one that was killed has left.
/// </summary>
internal static class WholeFileReplacement
{
    /// <param name="path">An absolute path in a folder that is there.</param>
    /// <param name="content">All of its content.</param>
    /// <param name="replace">Whether a file that is there may be replaced.</param>
    /// <exception cref="IOException">It can't be written, or one is there that may not be replaced.</exception>
    /// <exception cref="UnauthorizedAccessException">It can't be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, bool replace)
    {
        var temporary = StagingPath.Beside(path);

        // Outside of what is cleaned up: one that another is writing right now is not ours to delete.
        RemoveLeftover(temporary);
        var file = OutputFile.Create(temporary);

        try
        {
            using (file)
            {
                file.Write(content, 0);
                file.Complete();
            }

            File.Move(temporary, path, replace);
        }
        catch
        {
            Discard.File(temporary);
            throw;
        }
    }

    /// <summary>Nothing is ever written into what is there: somebody else may have put it there, for this user to write into.</summary>
    private static void RemoveLeftover(string temporary)
    {
        using (LockFile.TryOpen(temporary) ?? throw new IOException($"'{temporary}' is being written by another process."))
        {
            if (!OperatingSystem.IsWindows())
            {
                File.Delete(temporary);
            }
        }

        // There it can't be removed while it is open, be it by another one.
        if (OperatingSystem.IsWindows())
        {
            File.Delete(temporary);
        }
    }
}
