using System.Diagnostics;
using Fairseq2Llama.Native;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.Local;

/// <summary>What is different with the files of Windows: they can be locked, read-only, and have several names.</summary>
public sealed class WindowsFilesTests : IDisposable
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(300);

    private readonly TempFolder _folder = new("a longer name");

    public void Dispose() => _folder.Dispose();

    /// <summary>As a virus scanner does it.</summary>
    [WindowsTheory]
    [InlineData("move")]
    [InlineData("replace")]
    [InlineData("delete")]
    [InlineData("delete the folder")]
    public void A_file_that_is_open_for_a_moment_is_waited_for(string change)
    {
        var (file, target) = (Write("new/a.pth", "new"), _folder["b.pth"]);
        var opened = change == "replace" ? Write("b.pth", "old") : file;
        var scanner = File.Open(opened, FileMode.Open, FileAccess.Read, FileShare.Read);
        CloseInAMoment(scanner);

        switch (change)
        {
            case "delete":
                LocalChange.Delete(file);
                break;
            case "delete the folder":
                LocalChange.DeleteFolder(_folder["new"]);
                break;
            default:
                LocalChange.Move(file, target, overwrite: true);
                Assert.Equal("new", File.ReadAllText(target));
                break;
        }

        Assert.False(File.Exists(file));
    }

    [WindowsFact]
    public void A_folder_with_a_file_that_is_open_for_a_moment_is_waited_for()
    {
        var scanner = File.Open(Write("new/a.pth", "new"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        CloseInAMoment(scanner);

        LocalChange.MoveFolder(_folder["new"], _folder["out"]);

        Assert.Equal("new", File.ReadAllText(_folder["out/a.pth"]));
    }

    [WindowsFact]
    public void Read_only_files_are_deleted_wherever_they_are()
    {
        foreach (var file in new[] { Write("replaced/a.pth", ""), Write("replaced/more/b.pth", ""), Write("c.pth", "") })
        {
            File.SetAttributes(file, FileAttributes.ReadOnly);
        }

        Assert.True(Discard.File(_folder["c.pth"]));
        Discard.Folder(_folder["replaced"]);

        Assert.Empty(_folder.Content);
    }

    [WindowsFact]
    public void A_lock_that_is_released_leaves_no_file()
    {
        LockFile.TryOpen(_folder["lock"])!.Dispose();

        Assert.Empty(_folder.Content);
    }

    /// <summary>Who deletes what somebody has open leaves a name that can't be opened.</summary>
    [WindowsFact]
    public void A_lock_that_is_being_deleted_is_waited_for()
    {
        var holder = File.Open(Write("staging/lock", ""), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        File.Delete(_folder["staging/lock"]);
        CloseInAMoment(holder);

        using var held = StagingLock.TryAcquire(_folder["staging"], TimeSpan.FromMinutes(1));

        Assert.NotNull(held);
    }

    [WindowsFact]
    public void A_lock_of_somebody_else_is_not_waited_for()
    {
        using var held = LockFile.TryOpen(_folder["lock"]);
        var watch = Stopwatch.StartNew();

        Assert.Null(LockFile.TryOpen(_folder["lock"]));
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(4));
    }

    [WindowsFact]
    public void A_file_that_is_read_can_be_moved()
    {
        using var reader = new LocalFile(Write("a.pth", "data")).Open();

        LocalChange.Move(_folder["a.pth"], _folder["b.pth"], overwrite: true);

        var bytes = new byte[4];
        reader.Read(0, bytes);
        Assert.Equal("data"u8, bytes);
    }

    [WindowsFact]
    public void Case_does_not_matter() => AssertSame(Write("a.pth", ""), _folder["A.PTH"]);

    [External]
    [WindowsFact]
    public void A_short_name_is_the_same_as_a_long_one()
    {
        var file = Write("a name that is long.pth", "");
        var shortened = ShortPath(file);
        Assert.SkipWhen(string.Equals(shortened, file, StringComparison.OrdinalIgnoreCase), "needs a volume with short names");

        AssertSame(file, shortened);
    }

    [External]
    [WindowsFact]
    public void A_junction_is_the_same_as_its_target()
    {
        var file = Write("target/a.pth", "");
        Assert.SkipUnless(Run($"mklink /j \"{_folder["junction"]}\" \"{_folder["target"]}\""), "needs mklink");

        AssertSame(file, _folder[@"junction\a.pth"]);
    }

    [External]
    [WindowsFact]
    public void A_substituted_drive_is_the_same_as_its_folder()
    {
        var file = Write("a.pth", "");
        Assert.SkipUnless(Run($"subst Q: \"{_folder.Path}\"") && Directory.Exists(@"Q:\"), "needs subst");

        try
        {
            AssertSame(file, @"Q:\a.pth");
        }
        finally
        {
            Run("subst Q: /d");
        }
    }

    [WindowsFact]
    public void Two_files_of_a_folder_are_two_places() =>
        Assert.NotEqual(RealPath.IdentityOf(Write("a.pth", "")), RealPath.IdentityOf(Write("b.pth", "")), RealPath.Comparer);

    [WindowsFact]
    public void The_space_in_a_folder_is_that_of_its_drive() =>
        Assert.InRange(
            WindowsFile.AvailableSpaceIn(_folder.Path)!.Value,
            1,
            new DriveInfo(_folder.Path).TotalSize);

    [WindowsFact]
    public void The_space_in_no_folder_is_unknown() => Assert.Null(WindowsFile.AvailableSpaceIn(_folder["none"]));

    private static void AssertSame(string path, string other) => Assert.Equal(RealPath.IdentityOf(path), RealPath.IdentityOf(other), RealPath.Comparer);

    private static string ShortPath(string path)
    {
        using var process = Start($"for %I in (\"{path}\") do @echo %~sI");
        return process.StandardOutput.ReadToEnd().Trim();
    }

    private static bool Run(string command)
    {
        using var process = Start(command);
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static Process Start(string command) =>
        Process.Start(new ProcessStartInfo("cmd", "/s /c \"" + command + '"') { RedirectStandardOutput = true, RedirectStandardError = true })!;

    /// <summary>On a thread of its own: those of the pool may all be waiting for a lock.</summary>
    private static void CloseInAMoment(FileStream file) => new Thread(() =>
    {
        Thread.Sleep(Moment);
        file.Dispose();
    }).Start();

    private string Write(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllText(_folder[name], content);
        return _folder[name];
    }
}
