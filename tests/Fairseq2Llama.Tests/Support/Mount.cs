using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A file system of its own, in memory. Where that can't be had such tests are skipped.</summary>
internal sealed class Mount : IDisposable
{
    private Mount(string path) => Path = path;

    public string Path { get; }

    public string this[string relativePath] => System.IO.Path.Combine(Path, relativePath);

    public static Mount InMemory(string path, string options)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can mount a file system");
        Directory.CreateDirectory(path);
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path), "this root can't mount a file system");
        return new Mount(path);
    }

    public static void MakeReadOnly(string path) => Assert.True(Run("mount", "-o", "remount,ro", path));

    /// <summary>Takes it away while files on it are open, as a disk is that is pulled out.</summary>
    public void TakeAway() => Assert.True(Run("umount", "--lazy", Path));

    public void Dispose() => Run("umount", "--lazy", Path);

    private static bool Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
