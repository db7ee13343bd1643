using System.Diagnostics;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>checklist.chk, as md5sum reads it.</summary>
public sealed class ExportChecklistTests : ExportTests
{
    [External]
    [Theory]
    [InlineData("", new[] { "consolidated.00.pth", "params.json" })]
    [InlineData("-ShardCount 2", new[] { "consolidated.00.pth", "consolidated.01.pth", "params.json" })]
    public void Names_every_file_with_its_sum(string parameters, string[] files)
    {
        var result = Session.RunOne<LlamaReferenceCheckpoint>($"$fs2 | Export-LlamaReferenceCheckpoint 'my [1] out' -Architecture $tiny -Checklist {parameters}");

        Assert.Equal([.. files, "checklist.chk"], result.Files.Select(Path.GetFileName));
        Assert.Equal(files.Select(file => file + ": OK"), CheckSums(result.Path));
        Assert.Equal(result.Files.Sum(file => new FileInfo(file).Length), result.SizeInBytes);
    }

    [Fact]
    public void Is_planned_with_the_others()
    {
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Checklist -WhatIf");

        Assert.Contains("checklist.chk: MD5 of 2 files", Assert.Single(Session.Host.TakeLines(), line => line.Contains("checklist", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Does_not_outlive_the_files_that_it_names()
    {
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Checklist");
        Session.RunForError(CheckpointErrorCode.OutputExists, "$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny", "checklist.chk");

        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Checklist -Force");
        Assert.Equal(["checklist.chk", .. OneShard], Directory.EnumerateFileSystemEntries(Folder["out"]).Select(Path.GetFileName).Order());

        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force");
        Assert.Equal(OneShard, Directory.EnumerateFileSystemEntries(Folder["out"]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Is_written_when_all_jobs_are_done()
    {
        const string Export = "$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -ShardCount 2 -Checklist";
        Session.Run($"{Export} -ShardIndex 0; {Export} -ShardIndex 1; {Export} -CompleteShards");

        Assert.Equal(["consolidated.00.pth: OK", "consolidated.01.pth: OK", "params.json: OK"], CheckSums(Folder["out"]));
    }

    private static string[] CheckSums(string folder)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "needs md5sum of GNU coreutils");

        using var md5sum = Process.Start(new ProcessStartInfo("md5sum", ["-c", "checklist.chk"]) { WorkingDirectory = folder, RedirectStandardOutput = true })!;
        return md5sum.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
