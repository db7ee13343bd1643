using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Native;

/// <summary>Opens and closes files as .NET does not: without waiting for anybody, without following links, and telling what closing them shows.</summary>
internal static class UnixFile
{
    /// <summary>Opens an existing file. A pipe without a writer is opened as well, instead of blocking.</summary>
    /// <param name="path">A file or folder.</param>
    /// <param name="flags">How, in flags of open(2).</param>
    /// <exception cref="IOException">It can't be opened.</exception>
    public static SafeFileHandle Open(string path, int flags)
    {
        while (true)
        {
            if (Posix.Open(path, flags | Posix.CloseOnExec | Posix.NonBlocking) is >= 0 and var descriptor)
            {
                return new SafeFileHandle(descriptor, ownsHandle: true);
            }

            if (Posix.LastError is not Posix.Interrupted and var error)
            {
                throw Posix.Error(path, "can't be opened", error);
            }
        }
    }

    /// <summary>Opens a file that this user has made.</summary>
    /// <exception cref="IOException">It can't be opened, or somebody else has put something there.</exception>
    public static SafeFileHandle OpenOwn(string path, int flags)
    {
        // Without this the error for a link would speak of too many of them.
        if (FileStatus.Find(path, followLink: false) is { IsRegularFile: false })
        {
            throw NotOwn(path);
        }

        var file = Open(path, flags | Posix.NoFollow);

        try
        {
            return FileStatus.Of(file, path) is { IsRegularFile: true, IsOurs: true } ? file : throw NotOwn(path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Closes a written file. Network file systems report only now that there was no space.</summary>
    /// <exception cref="IOException">Written data may be lost. The file is closed anyway.</exception>
    public static void Close(SafeFileHandle file, string path)
    {
        if (OperatingSystem.IsWindows())
        {
            file.Dispose();
            return;
        }

        var descriptor = file.DangerousGetHandle();
        file.SetHandleAsInvalid();

        if (Posix.Close(descriptor) != 0 && Posix.LastError is not Posix.Interrupted and var error)
        {
            throw Posix.Error(path, "can't be closed", error);
        }
    }

    private static IOException NotOwn(string path) => new($"'{path}' is not a file of this user. Remove it.");
}
