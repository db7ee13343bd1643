using Fairseq2Llama.Native;

namespace Fairseq2Llama.Stores.Local;

/// <summary>
/// Keeps a staging folder to one export at a time. A folder whose lock is free was left by a killed export.
/// </summary>
internal sealed class StagingLock : IDisposable
{
    private const string FileName = "lock";
    private const int MaxAttempts = 100;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly string _folder;
    private readonly LockFile _file;

    private StagingLock(string folder, LockFile file)
    {
        _folder = folder;
        _file = file;
    }

    /// <summary>
    /// Whether the file that is locked still is the one that others find: it is not if its holder took it away between our opening and
    /// our locking it, or if somebody has removed the folder.
    /// </summary>
    public bool IsHeld => _file.IsInPlace;

    /// <summary>False where the file system has no locks, so that another export may be at work in the same folder.</summary>
    public bool IsExclusive => _file.IsExclusive;

    /// <summary>Whether a file in a staging folder is its lock.</summary>
    public static bool IsOne(string path) => Path.GetFileName(path) == FileName;

    /// <summary>Locks a folder, which is made if need be.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="patience">How long to wait for another export, which may only be cleaning up.</param>
    /// <returns>Null if another export has it.</returns>
    /// <exception cref="IOException">It can't be created or locked, or belongs to somebody else.</exception>
    public static StagingLock? TryAcquire(string folder, TimeSpan patience = default)
    {
        var deadline = DateTime.UtcNow + patience;

        for (var attempt = 0; attempt < MaxAttempts;)
        {
            try
            {
                PrivateFolder.Ensure(folder);

                if (TryOpen(folder) is not { } file)
                {
                    if (DateTime.UtcNow >= deadline)
                    {
                        return null;
                    }

                    Thread.Sleep(Pause);
                    continue;
                }

                if (file.IsInPlace)
                {
                    return new StagingLock(folder, file);
                }

                file.Dispose();
                attempt++;
            }
            catch (IOException e) when (e is DirectoryNotFoundException or FileNotFoundException || e.HResult == Posix.NotFound)
            {
                // Its holder takes the folder away just while we make or open it.
                attempt++;
            }
        }

        throw new IOException($"'{folder}' can't be locked: something removes it each time it is created.");
    }

    /// <summary>Unlocks the folder, and removes it if nothing else is in it.</summary>
    public void Dispose()
    {
        // While it is locked: afterwards, another process may own it.
        if (!OperatingSystem.IsWindows() && IsHeld)
        {
            Discard.File(Path.Combine(_folder, FileName));
        }

        _file.Dispose();

        Discard.EmptyFolder(_folder);
    }

    private static LockFile? TryOpen(string folder)
    {
        try
        {
            return LockFile.TryOpen(Path.Combine(folder, FileName));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // There may have been room for the folder and none for the file.
            Discard.EmptyFolder(folder);
            throw;
        }
    }
}
