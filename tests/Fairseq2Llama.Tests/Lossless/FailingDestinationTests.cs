using Fairseq2Llama.Tests.Cmdlets;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>The destination's file system is full, read-only, another one, or goes away.</summary>
[Lossless]
public sealed class FailingDestinationTests : ExportTests
{
    /// <summary>Exports in a process, to a new folder and over an earlier export, and prints the id of the error of each, or ok.</summary>
    private const string Script =
        """
        param($Module, $Checkpoint, $VocabSize, $Folder)
        $WarningPreference = 'SilentlyContinue'
        Import-Module $Module
        $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize $VocabSize -FfnInnerDimMultipleOf 8
        'ready'
        foreach ($arguments in @{ DestinationPath = "$Folder/new" }, @{ DestinationPath = "$Folder/old"; Force = $true }) {
            $null = Read-Fairseq2Checkpoint $Checkpoint | Export-LlamaReferenceCheckpoint @arguments -Architecture $tiny -ErrorVariable failure -ErrorAction SilentlyContinue
            if ($failure) { $failure[0].FullyQualifiedErrorId.Split(',')[0] } else { 'ok' }
        }
        """;

    private readonly TempFolder _input = new("input");

    public override void Dispose()
    {
        base.Dispose();
        _input.Dispose();
    }

    /// <summary>An export of it takes 64 MB, about.</summary>
    private string Big => BigCheckpoint.Write(_input["big"], TinyModel.Architecture with { VocabSize = 1_000_000 });

    /// <summary>The export takes 37 KB: from room for nothing but folders to room for nearly all.</summary>
    [Theory]
    [InlineData("size=4k", "InsufficientDiskSpace")]
    [InlineData("size=32k", "InsufficientDiskSpace")]
    [InlineData("size=36k", "InsufficientDiskSpace")]
    [InlineData("nr_inodes=1", "InsufficientDiskSpace")]
    [InlineData("nr_inodes=4", "InsufficientDiskSpace")]
    [InlineData("size=1m", "ok")]
    public void Reports_a_full_disk_and_leaves_nothing_on_it(string options, string expected)
    {
        using var mount = Mount.InMemory(Folder["mount"], options);

        if (expected == "ok")
        {
            Session.Run("$fs2 | Export-LlamaReferenceCheckpoint mount/new -Architecture $tiny");
            AssertIsReference("fs2", mount["new"]);
        }
        else
        {
            Session.RunForError(CheckpointErrorCode.InsufficientDiskSpace, "$fs2 | Export-LlamaReferenceCheckpoint mount/new -Architecture $tiny", mount.Path);
            Assert.Empty(Directory.EnumerateFileSystemEntries(mount.Path));
        }
    }

    [Theory]
    [InlineData("size=80k")]
    [InlineData("size=96k,nr_inodes=5")]
    [InlineData("size=96k,nr_inodes=7")]
    [InlineData("size=96k,nr_inodes=8")]
    public void Leaves_the_earlier_export_as_it_was_where_the_new_one_finds_no_room_beside_it(string options)
    {
        using var mount = Mount.InMemory(Folder["mount"], options);
        Directory.CreateDirectory(mount["old"]);
        File.WriteAllBytes(mount["old/consolidated.00.pth"], new byte[40_000]);
        File.WriteAllText(mount["old/params.json"], "old");
        var before = CheckpointFolder.Snapshot(mount.Path);

        Session.RunForError(
            CheckpointErrorCode.InsufficientDiskSpace, "$fs2 | Export-LlamaReferenceCheckpoint mount/old -Architecture $tiny -Force", mount.Path);

        Assert.Equal(before, CheckpointFolder.Snapshot(mount.Path));
        Assert.Equal([mount["old/consolidated.00.pth"], mount["old/params.json"]], Directory.EnumerateFileSystemEntries(mount["old"]).Order());
    }

    [Fact]
    public void Counts_what_a_killed_export_has_left_as_room()
    {
        using var mount = Mount.InMemory(Folder["mount"], "size=64k");
        Directory.CreateDirectory(mount[".fairseq2llama-new/new"]);
        File.WriteAllBytes(mount[".fairseq2llama-new/new/consolidated.00.pth"], new byte[40_000]);

        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint mount/new -Architecture $tiny");

        AssertIsReference("fs2", mount["new"]);
        Assert.Equal([mount["new"]], Directory.EnumerateFileSystemEntries(mount.Path));
    }

    /// <summary>There is room for one, and both find it when they look. Which of them gets it, or whether each takes the other's, is chance.</summary>
    [Fact]
    public void Reports_a_disk_that_becomes_full_after_there_was_room()
    {
        using var mount = Mount.InMemory(Folder["mount"], "size=100m");
        Session.Run("'a', 'b' | ForEach-Object { $fs2 | Export-LlamaReferenceCheckpoint mount/$_/old -Architecture $tiny }");

        using var first = ScriptProcess.Start(Script, [Repository.StagedModule, Big, "1000000", mount["a"]]);
        using var second = ScriptProcess.Start(Script, [Repository.StagedModule, _input["big"], "1000000", mount["b"]]);
        var outcomes = new[] { ("a", first.WaitForSuccess()), ("b", second.WaitForSuccess()) };

        foreach (var (name, lines) in outcomes)
        {
            Assert.All(lines.Where(line => line != "ready"), line => Assert.True(line is "ok" or "InsufficientDiskSpace", line));

            if (lines[^1] != "ok")
            {
                AssertIsReference("fs2", mount[$"{name}/old"]);
            }
        }

        Assert.InRange(outcomes.Sum(outcome => outcome.Item2.Count(line => line == "ok")), 0, 1);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(mount.Path, "*", SearchOption.AllDirectories), IsStaging);
    }

    [Fact]
    public void Reports_a_read_only_file_system()
    {
        using var mount = Mount.InMemory(Folder["mount"], "size=1m");
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint mount/old -Architecture $tiny");
        var before = CheckpointFolder.Snapshot(mount.Path);
        Mount.MakeReadOnly(mount.Path);

        Assert.Equal(
            ["ready", "WriteFailed", "WriteFailed"],
            ScriptProcess.Run(Script, Repository.StagedModule, Repository.Case("fs2"), "40", mount.Path));

        Assert.Equal(before, CheckpointFolder.Snapshot(mount.Path));
    }

    [Fact]
    public void Writes_to_another_file_system_than_the_input_s()
    {
        using var mount = Mount.InMemory(Folder["mount"], "size=1m");
        Directory.CreateDirectory(mount["old"]);
        File.WriteAllText(mount["old/params.json"], "old");

        Assert.Equal(["ready", "ok", "ok"], ScriptProcess.Run(Script, Repository.StagedModule, Repository.Case("fs2"), "40", mount.Path));

        AssertIsReference("fs2", mount["new"]);
        AssertIsReference("fs2", mount["old"]);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(mount.Path, "*", SearchOption.AllDirectories), IsStaging);
    }

    /// <summary>The staging folder is removed under it; or all of the file system is.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reports_a_destination_that_goes_away_while_it_is_written(bool isDisk)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "open files keep their folder there");

        using var mount = isDisk ? Mount.InMemory(Folder["mount"], "size=400m") : null;
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint mount/old -Architecture $tiny");
        CheckpointFolder.AddNotes(Folder["mount/old"]);
        using var process = ScriptProcess.Start(Script, [Repository.StagedModule, Big, "1000000", Folder["mount"]]);

        foreach (var staging in new[] { ".fairseq2llama-new", "old/.fairseq2llama" })
        {
            if (isDisk && staging[0] == 'o')
            {
                continue;
            }

            Assert.True(SpinWait.SpinUntil(() => File.Exists(Folder[$"mount/{staging}/new/consolidated.00.pth"]), TimeSpan.FromMinutes(1)));

            if (isDisk)
            {
                mount!.TakeAway();
            }
            else
            {
                Directory.Delete(Folder[$"mount/{staging}"], recursive: true);
            }
        }

        var lines = process.WaitForSuccess();

        // Without the disk, the second one finds an empty folder to write into.
        Assert.Equal(["ready", "WriteFailed", isDisk ? "ok" : "WriteFailed"], lines);
        Assert.DoesNotContain(Folder.Content, IsStaging);
        Assert.False(Directory.Exists(Folder["mount/new"]));

        if (!isDisk)
        {
            AssertIsReference("fs2", Folder["mount/old"]);
        }
    }

    private static bool IsStaging(string path) => path.Contains(".fairseq2llama", StringComparison.Ordinal);
}
