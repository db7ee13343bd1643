using Fairseq2Llama.Native;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Stores.Local;

/// <summary>
/// A file that only one process holds at a time. The operating system releases it when the process ends for any reason. .NET locks files, too, but
/// does not report a file system without locks, and follows links.
/// </summary>
internal sealed class LockFile : IDisposable
{
    private readonly string _path;
    private readonly SafeFileHandle _handle;

    private LockFile(string path, SafeFileHandle handle, bool isExclusive)
    {
        _path = path;
        _handle = handle;
        IsExclusive = isExclusive;
    }

    /// <summary>False if the file system has no locks, so that others may hold it as well.</summary>
    public bool IsExclusive { get; }

    /// <summary>Whether others still find this file. They do not if somebody has removed it, or its folder.</summary>
    public bool IsInPlace
    {
        get
        {
            try
            {
                return !_handle.IsClosed && (OperatingSystem.IsWindows()
                    || FileStatus.Find(_path, followLink: false) is { } found && found.IsSameAs(FileStatus.Of(_handle, _path)));
            }
            catch (IOException)
            {
                return false;
            }
        }
    }

    /// <summary>Opens and locks a file, and creates it if necessary. On Windows, it is gone when it is closed.</summary>
    /// <param name="path">Where; a link there is not followed.</param>
    /// <returns>Null if another process has it, or this one already.</returns>
    /// <exception cref="IOException">It can't be opened, or is not a file of this user.</exception>
    /// <exception cref="UnauthorizedAccessException">It can't be created.</exception>
    public static LockFile? TryOpen(string path) => OperatingSystem.IsWindows() ? TryOpenOnWindows(path) : TryOpenOnUnix(path);

    public void Dispose() => _handle.Dispose();

    /// <summary>While it is open, nobody can delete it, and while it is being deleted, nobody can open it.</summary>
    private static LockFile? TryOpenOnWindows(string path)
    {
        if (new FileInfo(path).LinkTarget is not null)
        {
            throw new IOException($"'{path}' is a link. Remove it.");
        }

        try
        {
            var handle = TransientLock.Outwait(
                () => File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose),
                TransientLock.CanBeOfDeleted);

            return new LockFile(path, handle, isExclusive: true);
        }
        catch (IOException e) when (TransientLock.IsSharingViolation(e))
        {
            return null;
        }
    }

    private static LockFile? TryOpenOnUnix(string path)
    {
        if (OpenOrCreate(path) is not { } handle)
        {
            return null;
        }

        try
        {
            while (Posix.Lock(handle, Posix.LockExclusively | Posix.LockOrFail) != 0)
            {
                var error = Posix.LastError;

                if (error == Posix.WouldBlock)
                {
                    handle.Dispose();
                    return null;
                }

                if (error is Posix.Invalid || error == Posix.NoLocks || error == Posix.NotImplemented
                    || error == Posix.NotSupported || error == Posix.OperationNotSupported)
                {
                    return new LockFile(path, handle, isExclusive: false);
                }

                if (error != Posix.Interrupted)
                {
                    throw Posix.Error(path, "can't be locked", error);
                }
            }

            return new LockFile(path, handle, isExclusive: true);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static SafeFileHandle? OpenOrCreate(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite);
        }
        catch (IOException e) when (e.HResult == Posix.Exists)
        {
            return UnixFile.OpenOwn(path, Posix.ReadWrite);
        }
        catch (IOException e) when (e.HResult == Posix.WouldBlock)
        {
            // .NET locks the file that it creates, and another process was faster.
            return null;
        }
    }
}
