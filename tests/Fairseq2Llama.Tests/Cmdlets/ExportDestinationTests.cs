using System.Management.Automation;
using System.Runtime.InteropServices;
using Fairseq2Llama.Native;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Where an export goes, and what it finds there.</summary>
public sealed partial class ExportDestinationTests : ExportTests
{
    [Theory]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint ./deep/er/out -Architecture $tiny", "deep/er/out")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint 'my [1] out' -Architecture $tiny", "my [1] out")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint 'выход' -Architecture $tiny", "выход")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint 'out*' -Architecture $tiny", "out*")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint '../out/here' -Architecture $tiny", "here")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint \"FileSystem::$PWD/out\" -Architecture $tiny", "out")]
    public void Makes_theFolder_where_the_destination_says_from_the_location_of_theSession(string script, string folder)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && folder.Contains('*', StringComparison.Ordinal), "no such name can be there");

        var result = Session.RunOne<LlamaReferenceCheckpoint>(script);

        Assert.Equal(Path.GetFullPath(Folder[folder]), Path.GetFullPath(result.Path));
        Assert.Equal(OneShard, Directory.EnumerateFileSystemEntries(Folder[folder]).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData("HuggingFace", "Reference", "read the one in Meta's reference format", "Read-LlamaHuggingFaceCheckpoint")]
    [InlineData("Reference", "HuggingFace", "read the one in Meta's reference format", "Read-LlamaHuggingFaceCheckpoint")]
    public void Warns_that_one_of_two_formats_in_a_folder_hides_the_other(string first, string second, params string[] words)
    {
        Session.Run($"$fs2 | Export-Llama{first}Checkpoint out -Architecture $tiny");

        var warning = Assert.Single(Session.RunOn($"$fs2 | Export-Llama{second}Checkpoint out -Architecture $tiny").Warnings);
        Assert.All(words, word => Assert.Contains(word, warning, StringComparison.Ordinal));
    }

    [Fact]
    public void Exports_into_the_current_location()
    {
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint . -Architecture $tiny");

        Assert.Equal(OneShard, Folder.Content);
    }

    [Fact]
    public void Exports_each_checkpoint_to_where_a_script_block_says()
    {
        var results = Session.Run<LlamaReferenceCheckpoint>(
            "Read-Fairseq2Checkpoint $cases/fs2, $cases/ddp | Export-LlamaReferenceCheckpoint -DestinationPath { \"out/$($_.Name)\" } -Architecture $tiny");

        Assert.Equal(["fs2", "ddp"], results.Select(result => result.Name));
        AssertIsReference("fs2", Folder["out/fs2"]);
        AssertIsReference("ddp", Folder["out/ddp"]);
    }

    [Theory]
    [InlineData("{ \"out/$($_.Name)\" }")]
    [InlineData("-DestinationPath { \"out/$($_.Name)\" }")]
    public void Exports_each_checkpoint_that_a_wildcard_finds_to_where_a_script_block_says(string destination)
    {
        CheckpointFolder.Copy("fs2", Folder["runs/a"]);
        CheckpointFolder.Copy("ddp", Folder["runs/b"]);

        Session.Run($"Export-LlamaReferenceCheckpoint runs/* {destination} -Architecture $tiny");

        AssertIsReference("fs2", Folder["out/a"]);
        AssertIsReference("ddp", Folder["out/b"]);
    }

    [Theory]
    [InlineData("consolidated.00.pth")]
    [InlineData("params.json")]
    [InlineData("consolidated.07.pth")]
    public void Refuses_to_replace_files_and_leaves_them_as_they_are(string name)
    {
        Directory.CreateDirectory(Folder["out"]);
        File.WriteAllText(Folder["out/" + name], "precious");

        var error = Session.RunForError(
            CheckpointErrorCode.OutputExists, "$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny", Folder["out"], name, "-Force");

        Assert.Equal(Folder["out"], error.TargetObject);
        Assert.Equal(ErrorCategory.ResourceExists, error.CategoryInfo.Category);
        Assert.Equal(new() { ["out/" + name] = Convert.ToHexString("precious"u8) }, CheckpointFolder.Snapshot(Folder.Path));
        Assert.Equal(2, Folder.Content.Count);
    }

    [Fact]
    public void Replaces_only_its_own_files_and_removes_stale_shards_when_forced()
    {
        Session.Run("Read-Fairseq2Checkpoint $cases/tp2-llama3 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");
        File.WriteAllText(Folder["out/tokenizer.model"], "stays");
        File.WriteAllText(Folder["out/consolidated.02.pth"], "stale");
        Directory.CreateDirectory(Folder["out/logs"]);

        var outcome = Session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force");

        Assert.Empty(outcome.Errors);
        Assert.Empty(outcome.Warnings);
        Assert.Equal(["consolidated.00.pth", "logs", "params.json", "tokenizer.model"], Directory.EnumerateFileSystemEntries(Folder["out"]).Select(Path.GetFileName).Order());
        Assert.Equal("stays", File.ReadAllText(Folder["out/tokenizer.model"]));
        AssertIsReference("fs2", Folder["out"]);
    }

    [Fact]
    public void Writes_beside_other_files_and_warns_of_those_that_readers_would_load()
    {
        Directory.CreateDirectory(Folder["out"]);
        File.WriteAllText(Folder["out/extra.pth"], "stray");
        File.WriteAllText(Folder["out/notes.txt"], "harmless");

        var outcome = Session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Empty(outcome.Errors);
        Assert.Contains(Folder["out/extra.pth"], Assert.Single(outcome.Warnings), StringComparison.Ordinal);
        Assert.Equal("stray", File.ReadAllText(Folder["out/extra.pth"]));
        Assert.Equal("harmless", File.ReadAllText(Folder["out/notes.txt"]));
    }

    [Fact]
    public void Refuses_a_destination_that_is_a_file()
    {
        File.WriteAllText(Folder["out"], "a file");

        var error = Session.RunForError(
            CheckpointErrorCode.OutputExists, "$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force", Folder["out"], "is a file");

        Assert.Equal(Folder["out"], error.TargetObject);
        Assert.Equal("a file", File.ReadAllText(Folder["out"]));
    }

    [Fact]
    public void Refuses_a_destination_below_a_file()
    {
        File.WriteAllText(Folder["file"], "a file");

        Session.RunForError(CheckpointErrorCode.OutputExists, "$fs2 | Export-LlamaReferenceCheckpoint file/out -Architecture $tiny", Folder["file"]);

        Assert.Equal(["file"], Folder.Content);
    }

    [Fact]
    public void Refuses_aFolder_where_a_file_shall_be()
    {
        Directory.CreateDirectory(Folder["out/params.json"]);

        Session.RunForError(
            CheckpointErrorCode.OutputExists, "$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force", Folder["out/params.json"]);

        Assert.Equal(["out", "out/params.json"], Folder.Content.Select(entry => entry.Replace('\\', '/')));
    }

    [Fact]
    public void Refuses_a_destination_that_is_a_link_to_nowhere()
    {
        SymbolicLink.ToFile(Folder["out"], "gone");

        Session.RunForError(CheckpointErrorCode.OutputExists, "$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force", Folder["out"], "broken link");
    }

    [Fact]
    public void Refuses_a_destination_that_is_no_path()
    {
        Session.RunForError(CheckpointErrorCode.WriteFailed, "$fs2 | Export-LlamaReferenceCheckpoint \"a`0b\" -Architecture $tiny", "not a path");

        Assert.SkipWhen(OperatingSystem.IsWindows(), "\\\\server\\share is a path there");
        Session.RunForError(CheckpointErrorCode.WriteFailed, @"$fs2 | Export-LlamaReferenceCheckpoint '\\server\share\x' -Architecture $tiny", "not a path");
    }

    [Theory]
    [InlineData("own", "own")]
    [InlineData("own", "link")]
    [InlineData("link", "own")]
    [InlineData("link", "link/../deep/link")]
    public void Does_not_replace_what_it_exports(string source, string destination)
    {
        Directory.CreateDirectory(Folder["own"]);
        Directory.CreateDirectory(Folder["deep"]);
        SymbolicLink.ToFolder(Folder["link"], "own");
        SymbolicLink.ToFolder(Folder["deep/link"], "../link");
        File.Copy(Path.Combine(Repository.Case("fs2"), "model.pt"), Folder["own/consolidated.00.pth"]);

        Session.RunForError(
            CheckpointErrorCode.OutputExists,
            $"Read-Fairseq2Checkpoint {source}/consolidated.00.pth | Export-LlamaReferenceCheckpoint {destination} -Architecture $tiny -Force",
            "replace its own input");
        Assert.Equal(new FileInfo(Path.Combine(Repository.Case("fs2"), "model.pt")).Length, new FileInfo(Folder["own/consolidated.00.pth"]).Length);
    }

    /// <summary>Its path has no link in it, and still leads to the input.</summary>
    [External]
    [Fact]
    public void Does_not_replace_what_it_exports_through_a_folder_that_is_mounted_elsewhere()
    {
        Directory.CreateDirectory(Folder["own"]);
        File.Copy(Path.Combine(Repository.Case("fs2"), "model.pt"), Folder["own/consolidated.00.pth"]);
        using var mount = Mount.Of(Folder["own"], Folder["elsewhere"]);

        Session.RunForError(
            CheckpointErrorCode.OutputExists,
            "Read-Fairseq2Checkpoint own/consolidated.00.pth | Export-LlamaReferenceCheckpoint elsewhere -Architecture $tiny -Force",
            "replace its own input");
    }

    [External]
    [Fact]
    public void Replaces_files_one_by_one_where_a_folder_is_mounted()
    {
        Directory.CreateDirectory(Folder["own"]);
        using var mount = Mount.Of(Folder["own"], Folder["elsewhere"]);
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint elsewhere -Architecture $tiny");

        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint elsewhere -Architecture $tiny -Force");

        AssertIsReference("fs2", Folder["own"]);
    }

    /// <summary>Only a new folder is as new as that.</summary>
    [Fact]
    public void Replaces_a_folder_that_holds_nothing_else_in_one_step()
    {
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "elsewhere two folders can't swap their names");

        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Folder["out"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead);
        }

        var before = FileStatus.Find(Folder["out"], followLink: false)!.Value;

        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force");

        var after = FileStatus.Find(Folder["out"], followLink: false)!.Value;
        Assert.False(after.IsSameAs(before));
        Assert.Equal(before.Mode, after.Mode);
        AssertIsReference("fs2", Folder["out"]);
        Assert.Equal(["out", "out/consolidated.00.pth", "out/params.json"], Folder.Content);
    }

    /// <summary>It would be gone with the old folder, and so would an access list.</summary>
    [Theory]
    [InlineData("file")]
    [InlineData("folder")]
    [InlineData("attribute")]
    [InlineData("link")]
    public void Keeps_a_folder_that_holds_something_else(string what)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "elsewhere two folders can't swap their names");
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        switch (what)
        {
            case "file":
                CheckpointFolder.AddNotes(Folder["out"]);
                break;
            case "folder":
                Directory.CreateDirectory(Folder["out/deep"]);
                break;
            case "link":
                Directory.Move(Folder["out"], Folder["real"]);
                SymbolicLink.ToFolder(Folder["out"], "real");
                break;
            case "attribute":
                SetAttribute(Folder["out"]);
                break;
        }

        var before = FileStatus.Find(Folder["out"], followLink: false)!.Value;
        var content = Folder.Content;

        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force");

        Assert.True(FileStatus.Find(Folder["out"], followLink: false)!.Value.IsSameAs(before));
        Assert.Equal(content, Folder.Content);
        AssertIsReference("fs2", Folder["out"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Is_told_by_who_reads_what_was_not_finished(bool isNew)
    {
        if (isNew)
        {
            Directory.CreateDirectory(Folder[".fairseq2llama-out/new"]);
        }
        else
        {
            LeaveHalfCommitted();
        }

        foreach (var command in new[] { "Read-LlamaReferenceCheckpoint out", "Read-LlamaReferenceCheckpoint -LiteralPath out", "Read-LlamaHuggingFaceCheckpoint out" })
        {
            var error = Assert.Single(Session.RunOn(command).Errors);
            Assert.Contains($"An export to '{Folder["out"]}' has not finished", error.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Removes_silently_what_a_killed_export_left()
    {
        Directory.CreateDirectory(Folder["out/.fairseq2llama/new"]);
        File.WriteAllText(Folder["out/.fairseq2llama/new/consolidated.00.pth"], "half of it");
        Directory.CreateDirectory(Folder[".fairseq2llama-out/new"]);

        var outcome = Session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Empty(outcome.Errors);
        Assert.Empty(outcome.Warnings);
        Assert.Equal(["out", "out/consolidated.00.pth", "out/params.json"], Folder.Content);
    }

    [Fact]
    public void Finishes_an_export_that_was_killed_in_its_last_moments_and_says_so()
    {
        LeaveHalfCommitted();

        var outcome = Session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Equal(["OutputExists"], outcome.ErrorIds);
        Assert.Contains("was killed", Assert.Single(outcome.Warnings), StringComparison.Ordinal);
        Assert.Equal(["out", "out/consolidated.00.pth", "out/params.json"], Folder.Content);
        Assert.Equal("new", File.ReadAllText(Folder["out/params.json"]));
    }

    [Fact]
    public void Only_tells_for_WhatIf_that_a_killed_export_would_be_finished()
    {
        LeaveHalfCommitted();
        var before = CheckpointFolder.Snapshot(Folder.Path);

        var outcome = Session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force -WhatIf");

        Assert.Empty(outcome.Errors);
        Assert.Contains("Finish or clean up an export that was killed", Session.Host.TakeLines()[0], StringComparison.Ordinal);
        Assert.Equal(before, CheckpointFolder.Snapshot(Folder.Path));
    }

    [Fact]
    public void Takes_a_destination_with_a_slash_for_the_same_as_without()
    {
        var outcome = Session.RunOn(
            "$fs2, $fs2 | Export-LlamaReferenceCheckpoint -DestinationPath { 'out' + ($script:n++ ? '/' : '') } -Architecture $tiny -Force");

        Assert.Equal(["out"], outcome.Names);
        Assert.Equal(["OutputExists"], outcome.ErrorIds);
        Assert.Equal("out", Session.RunOne<LlamaReferenceCheckpoint>("$fs2 | Export-LlamaReferenceCheckpoint out/ -Architecture $tiny -Force").Name);
    }

    [Fact]
    public void Exports_through_a_link_to_aFolder()
    {
        Directory.CreateDirectory(Folder["real"]);
        SymbolicLink.ToFolder(Folder["link"], Folder["real"]);

        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint link -Architecture $tiny");

        AssertIsReference("fs2", Folder["real"]);
    }

    [Theory]
    [InlineData("Env:out", "Environment provider")]
    [InlineData("NoSuchDrive:/out", "NoSuchDrive")]
    public void Refuses_a_destination_outside_of_the_file_system(string destination, string word)
    {
        Session["destination"] = destination;

        Assert.Contains(word, Session.RunForError("$fs2 | Export-LlamaReferenceCheckpoint $destination -Architecture $tiny").ToString(), StringComparison.Ordinal);
        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Finds_out_before_it_writes_that_there_is_too_little_room()
    {
        using var input = new TempFolder("huge");
        var free = new DriveInfo(Folder.Path).AvailableFreeSpace;
        Assert.SkipWhen(free > 130_000_000_000, "the disk has room for a LLaMA 65B");
        Session["path"] = BigCheckpoint.Write(input.Path, LlamaArchitectures.Find("65b"));

        var error = Session.RunForError(
            CheckpointErrorCode.InsufficientDiskSpace, "Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out", Folder["out"], "130,5");

        Assert.Equal(ErrorCategory.ResourceUnavailable, error.CategoryInfo.Category);
        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Reports_aFolder_that_may_not_be_written_into()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs the permissions of a Unix folder");
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "root may write everywhere");

        Directory.CreateDirectory(Folder["sealed"]);

        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Folder["sealed"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        var error = Session.RunForError(
            CheckpointErrorCode.WriteFailed, "$fs2 | Export-LlamaReferenceCheckpoint sealed/out -Architecture $tiny", Folder["sealed/out"]);

        Assert.Equal(ErrorCategory.WriteError, error.CategoryInfo.Category);
        Assert.Equal(["sealed"], Folder.Content);
    }

    private static void SetAttribute(string path)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "others have another call for that");
        Assert.Equal(0, SetAttribute(path, "user.origin", "here"u8, 4, 0));
    }

    [LibraryImport("libc", EntryPoint = "setxattr", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetAttribute(string path, string name, ReadOnlySpan<byte> value, nuint size, int flags);

    /// <summary>An export whose weights are in place, and its params.json not yet.</summary>
    private void LeaveHalfCommitted()
    {
        Directory.CreateDirectory(Folder["out/.fairseq2llama/new"]);
        File.WriteAllText(Folder["out/consolidated.00.pth"], "new");
        File.WriteAllText(Folder["out/.fairseq2llama/new/params.json"], "new");
        File.WriteAllText(Folder["out/.fairseq2llama/commit"], "fairseq2llama commit journal 1\nremove params.json\nremove consolidated.00.pth\nplace consolidated.00.pth\nplace params.json\n");
    }
}
