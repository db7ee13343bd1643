using System.ComponentModel;
using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A file system of its own. Where that can't be had such tests are skipped.</summary>
internal sealed class Mount : IDisposable
{
    private Mount(string path) => Path = path;

    public string Path { get; }

    /// <summary>Bytes that its files take.</summary>
    public long UsedBytes
    {
        get
        {
            // XFS counts blocks when it allocates them, which it puts off.
            Assert.True(Run("sync", "-f", Path));
            var drive = new DriveInfo(Path);
            return drive.TotalSize - drive.TotalFreeSpace;
        }
    }

    public string this[string relativePath] => System.IO.Path.Combine(Path, relativePath);

    /// <summary>One in memory.</summary>
    public static Mount InMemory(string path, string options) => At(path, "-t", "tmpfs", "-o", options, "tmpfs");

    /// <summary>An XFS in a file, where files can share blocks.</summary>
    public static Mount WithSharing(TempFolder folder)
    {
        const int Size = 400 << 20; // The least that mkfs.xfs makes is 300 MB.

        using (var image = File.Create(folder["image"]))
        {
            image.SetLength(Size);
        }

        Assert.SkipUnless(Run("mkfs.xfs", "-q", "-m", "reflink=1", folder["image"]), "needs mkfs.xfs of xfsprogs");
        return At(folder["mounted"], "-o", "loop", folder["image"]);
    }

    /// <summary>A folder that is at another place as well.</summary>
    public static Mount Of(string folder, string path) => At(path, "--bind", folder);

    /// <summary>
    /// An ext4 that promises more room than there is: the file that it lies in has no more of it. Whoever writes there learns of that when what
    /// was written goes to the disk.
    /// </summary>
    /// <param name="folder">Where the file and both file systems are.</param>
    /// <param name="room">What there really is, as tmpfs takes it.</param>
    public static (Mount Disk, Mount Volume) WithThinVolume(TempFolder folder, string room)
    {
        var disk = InMemory(folder["disk"], $"size={room}");

        using (var image = File.Create(disk["image"]))
        {
            image.SetLength(400 << 20);
        }

        Assert.SkipUnless(Run("mkfs.ext4", "-q", "-O", "^has_journal", disk["image"]), "needs mkfs.ext4 of e2fsprogs");
        return (disk, At(folder["volume"], "-o", "loop", disk["image"]));
    }

    public static void MakeReadOnly(string path) => Assert.True(Run("mount", "-o", "remount,ro", path));

    /// <summary>Takes it away while files on it are open, as a disk is that is pulled out.</summary>
    public void TakeAway() => Assert.True(Run("umount", "--lazy", Path));

    public void Dispose() => Run("umount", "--lazy", Path);

    private static Mount At(string path, params string[] what)
    {
        CategoryAttribute.Require();
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can mount a file system");
        Directory.CreateDirectory(path);
        Assert.SkipUnless(Run("mount", [.. what, path]), "this root can't mount a file system");
        return new Mount(path);
    }

    private static bool Run(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
