using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Conversion.Destination;

/// <summary>
/// Keeps a staging folder to one export at a time. The operating system gives the lock up when the process ends, however it ends; so a
/// folder whose lock can be had was left by an export that is no more.
/// </summary>
internal sealed class StagingLock : IDisposable
{
    private const string FileName = "lock";
    private const int MaxAttempts = 100;
    private const int UnixExists = 17;
    private const int LinuxWouldBlock = 11;
    private const int MacWouldBlock = 35;
    private const int WindowsSharingViolation = unchecked((int)0x80070020);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly string _folder;
    private readonly string _path;
    private readonly SafeFileHandle _handle;

    private StagingLock(string folder, string path, SafeFileHandle handle)
    {
        _folder = folder;
        _path = path;
        _handle = handle;

        // A time that no other lock has, to tell by it whether the file of that name still is this one. Some file systems count in
        // steps of two seconds.
        File.SetLastWriteTimeUtc(handle, new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(2 * Random.Shared.Next(500_000_000)));
    }

    /// <summary>
    /// Whether the file that is locked still is the one that others find: it is not if its holder took it away between our opening and
    /// our locking it, or if somebody has removed the folder.
    /// </summary>
    public bool IsHeld =>
        !_handle.IsClosed && File.Exists(_path) && File.GetLastWriteTimeUtc(_path) == File.GetLastWriteTimeUtc(_handle);

    /// <summary>Whether a file in a staging folder is its lock.</summary>
    public static bool IsOne(string path) => Path.GetFileName(path) == FileName;

    /// <summary>Locks a folder, which is made if need be.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="patience">How long to wait for another one, who may only be cleaning up.</param>
    /// <returns>Null if another export has it.</returns>
    public static StagingLock? TryAcquire(string folder, TimeSpan patience = default)
    {
        var deadline = DateTime.UtcNow + patience;

        for (var attempt = 0; attempt < MaxAttempts;)
        {
            try
            {
                if (TryOpen(folder) is { } held)
                {
                    return held;
                }

                attempt++;
            }
            catch (IOException e) when (IsRemoval(e, folder))
            {
                attempt++;
            }
            catch (IOException e) when (e.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharingViolation)
            {
                if (DateTime.UtcNow >= deadline)
                {
                    return null;
                }

                Thread.Sleep(Pause);
            }
        }

        throw new IOException($"'{folder}' can't be locked: whenever it is made, it is removed.");
    }

    /// <summary>Unlocks the folder, and takes it away if nothing else is in it.</summary>
    public void Dispose()
    {
        // While it is locked: afterwards it may be another one's. Windows does not delete what is open, but does so on closing.
        if (!OperatingSystem.IsWindows() && IsHeld)
        {
            Discard.File(_path);
        }

        _handle.Dispose();
        Discard.EmptyFolder(_folder);
    }

    /// <summary>What comes of its holder's taking the folder away just while it is being made or opened.</summary>
    private static bool IsRemoval(IOException error, string folder) =>
        error is DirectoryNotFoundException or FileNotFoundException || (error.HResult == UnixExists && !File.Exists(folder));

    private static StagingLock? TryOpen(string folder)
    {
        if (Directory.CreateDirectory(folder).LinkTarget is not null)
        {
            // Whatever it leads to is not ours to clean up.
            throw new IOException($"'{folder}' is a link. Remove it.");
        }

        // Elsewhere DeleteOnClose means whichever file has that name then.
        var options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;
        var path = Path.Combine(folder, FileName);
        var handle = Open(path, options);

        try
        {
            var candidate = new StagingLock(folder, path, handle);

            if (candidate.IsHeld)
            {
                return candidate;
            }
        }
        catch
        {
            handle.Dispose();
            throw;
        }

        handle.Dispose();
        return null;
    }

    private static SafeFileHandle Open(string path, FileOptions options)
    {
        try
        {
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, options);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // There may have been room for the folder and none for the file.
            Discard.EmptyFolder(Path.GetDirectoryName(path)!);
            throw;
        }
    }
}
