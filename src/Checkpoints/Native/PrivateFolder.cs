namespace Fairseq2Llama.Native;

/// <summary>
/// A folder that only this user can read and write. Where other users may write, they could have created a folder of that name first.
/// </summary>
internal static class PrivateFolder
{
    private const int OwnerOnly = 0b111_000_000;

    /// <summary>Creates it, unless this user has created it before.</summary>
    /// <exception cref="DirectoryNotFoundException">Its parent folder does not exist, or it was removed in the meantime.</exception>
    /// <exception cref="IOException">It can't be created, or is a link, a file, or a folder of another user.</exception>
    public static void Ensure(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            // Write permissions are inherited from the parent folder.
            if (TransientLock.Outwait(() => Directory.CreateDirectory(path), TransientLock.CanBeOfDeleted).LinkTarget is not null)
            {
                throw NoFolder(path);
            }
        }
        else if (Posix.MakeFolder(path, OwnerOnly) != 0)
        {
            RequireOwn(path, Posix.LastError);
        }
    }

    private static void RequireOwn(string path, int error)
    {
        if (error == Posix.NotFound)
        {
            throw new DirectoryNotFoundException($"'{path}' can't be created: its parent folder does not exist.");
        }

        if (error != Posix.Exists)
        {
            throw Posix.Error(path, "can't be created", error);
        }

        switch (FileStatus.Find(path, followLink: false))
        {
            case null:
                throw new DirectoryNotFoundException($"'{path}' was removed in the meantime.");

            // The target of a link is not ours to clean up.
            case { IsFolder: false }:
                throw NoFolder(path);

            case { IsOurs: false }:
                throw new IOException(
                    $"'{path}' belongs to another user, whose export is running or was killed. If it was killed, that user or an administrator can remove it.");
        }
    }

    private static IOException NoFolder(string path) => new($"'{path}' is a link or a file. Remove it.");
}
