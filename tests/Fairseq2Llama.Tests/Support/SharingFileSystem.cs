using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>An XFS of its own in a file, where blocks can be shared. Only root may mount one.</summary>
internal sealed class SharingFileSystem : IDisposable
{
    private readonly TempFolder _folder = new("file-system");
    private readonly bool _isMounted;

    public SharingFileSystem()
    {
        var (image, mount) = (_folder["image"], Directory.CreateDirectory(_folder["mounted"]).FullName);

        using (var file = File.Create(image))
        {
            file.SetLength(400 << 20);
        }

        _isMounted = Succeeds("mkfs.xfs", "-q", "-m", "reflink=1", image) && Succeeds("mount", "-o", "loop", image, mount);

        if (!_isMounted)
        {
            _folder.Dispose();
            Assert.Skip("needs root, a loop device and mkfs.xfs of xfsprogs");
        }

        Path = mount;
    }

    public string Path { get; } = "";

    public string this[string relativePath] => System.IO.Path.Combine(Path, relativePath);

    /// <summary>Bytes that its files take.</summary>
    public long UsedBytes
    {
        get
        {
            // XFS counts blocks when it allocates them, which it puts off.
            Assert.True(Succeeds("sync", "-f", Path));
            var drive = new DriveInfo(Path);
            return drive.TotalSize - drive.TotalFreeSpace;
        }
    }

    public void Dispose()
    {
        if (_isMounted)
        {
            Assert.True(Succeeds("umount", Path));
            _folder.Dispose();
        }
    }

    private static bool Succeeds(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
