using System.Globalization;

namespace Fairseq2Llama.Benchmark;

/// <summary>A folder of ours on the file system that is measured.</summary>
internal sealed class Workspace : IDisposable
{
    private const int MaxPauses = 10;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly bool _keep;
    private int _count;

    /// <param name="parent">A folder on the file system.</param>
    /// <param name="keep">Whether to leave everything there at the end.</param>
    public Workspace(string parent, bool keep)
    {
        _keep = keep;
        Path = System.IO.Path.Combine(
            Directory.CreateDirectory(parent).FullName,
            string.Create(CultureInfo.InvariantCulture, $"fairseq2llama-benchmark-{Environment.ProcessId}"));

        Directory.CreateDirectory(Path);
        CanShare = OperatingSystem.IsLinux() && CopySharing();
    }

    public string Path { get; }

    /// <summary>Whether files can have blocks in common here.</summary>
    public bool CanShare { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Whether there is room for a checkpoint, the same in shards, and an output.</summary>
    public bool HasRoomFor(long checkpointBytes) => new DriveInfo(Path).AvailableFreeSpace >= 3 * checkpointBytes;

    /// <summary>A path at which nothing is yet.</summary>
    public string NewPath(string extension = "") => this[string.Create(CultureInfo.InvariantCulture, $"{++_count}{extension}")];

    /// <summary>Takes a file or folder away, if there is one.</summary>
    public static void Remove(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }

        File.Delete(path);
    }

    /// <summary>
    /// Waits until the disk has everything, so that nobody has to write or to free what another one left; a file system frees the blocks of
    /// deleted files when it likes.
    /// </summary>
    /// <returns>Bytes that all files take then, whoever's they are.</returns>
    public long Settle()
    {
        Sync();
        var used = UsedBytes;

        // Where others write all the time it never comes to rest.
        for (var (pauses, before) = (0, -1L); pauses < MaxPauses && used != before; pauses++)
        {
            Thread.Sleep(Pause);
            Sync();
            (before, used) = (used, UsedBytes);
        }

        return used;
    }

    public void Dispose()
    {
        if (!_keep)
        {
            Remove(Path);
        }
    }

    private long UsedBytes
    {
        get
        {
            var drive = new DriveInfo(Path);
            return drive.TotalSize - drive.TotalFreeSpace;
        }
    }

    private void Sync()
    {
        if (OperatingSystem.IsLinux())
        {
            ChildProcess.Ask("sync", "-f", Path);
        }
        else if (!OperatingSystem.IsWindows())
        {
            ChildProcess.Ask("sync");
        }
    }

    private bool CopySharing()
    {
        var (source, target) = (NewPath(), NewPath());
        File.WriteAllBytes(source, new byte[1 << 20]);
        var succeeded = ChildProcess.Ask("cp", "--reflink=always", source, target) is not null;
        Remove(source);
        Remove(target);
        return succeeded;
    }
}
