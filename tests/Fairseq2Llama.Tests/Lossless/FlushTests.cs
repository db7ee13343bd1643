using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>What the operating system is asked for, as strace sees it: everything is on the disk before anything is renamed.</summary>
[Lossless]
public sealed class FlushTests : IDisposable
{
    private const string Script =
        """
        param($Module, $Checkpoint, $Folder)
        Import-Module $Module
        $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8
        $checkpoint = Read-Fairseq2Checkpoint $Checkpoint
        $checkpoint | Export-LlamaReferenceCheckpoint $Folder/quick -Architecture $tiny | Out-Null
        $checkpoint | Export-LlamaReferenceCheckpoint $Folder/deep/flushed -Architecture $tiny -Flush | Out-Null
        [IO.File]::WriteAllText("$Folder/quick/notes.txt", 'stays')
        $checkpoint | Export-LlamaReferenceCheckpoint $Folder/quick -Architecture $tiny -Force | Out-Null
        $checkpoint | Export-LlamaReferenceCheckpoint $Folder/deep/flushed -Architecture $tiny -Force | Out-Null
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Everything_is_on_the_disk_before_it_is_put_in_place()
    {
        using var scratch = new TempFolder();
        using var process = ScriptProcess.Start(
            Script, [Repository.StagedModule, Repository.Case("fs2"), _folder.Path], Strace.Command(scratch["log"], Strace.Renames + ",fsync"));
        process.WaitForSuccess();

        var calls = File.ReadLines(scratch["log"]).Where(line => line.Contains(_folder.Path, StringComparison.Ordinal)).ToArray();
        var (quick, flushed, replaced, swapped) = (
            IndexOf(calls, "rename", $"{_folder["quick"]}\""),
            IndexOf(calls, "rename", $"{_folder["deep/flushed"]}\""),
            IndexOf(calls, "rename", "replaced/params.json"),
            IndexOf(calls, "RENAME_EXCHANGE", $"{_folder["deep/flushed"]}\""));

        Assert.Equal(0, quick);
        Assert.True(flushed > 0 && replaced > flushed, string.Join('\n', calls));

        foreach (var path in new[] { "new/consolidated.00.pth", "new/params.json", "new" })
        {
            Assert.InRange(IndexOf(calls, "fsync", $".fairseq2llama-flushed/{path}>"), 0, flushed);
            Assert.InRange(IndexOf(calls, "fsync", $"quick/.fairseq2llama/{path}>"), flushed, replaced);
        }

        // That it has been put in place, too, is on the disk before what it replaced is gone.
        Assert.True(IndexOf(calls, "fsync", $"{_folder["deep"]}>") > flushed);
        Assert.True(IndexOf(calls, "fsync", $"{_folder.Path}>") > flushed);
        Assert.InRange(IndexOf(calls, "fsync", "quick/.fairseq2llama/commit.draft>"), flushed, replaced);
        Assert.InRange(IndexOf(calls, "fsync", "quick/.fairseq2llama>"), flushed, replaced);
        Assert.True(IndexOf(calls, "fsync", $"{_folder["quick"]}>", replaced) > replaced);

        // Where both folders swap their names, the new one is there before and the names are afterwards.
        foreach (var path in new[] { "new/consolidated.00.pth", "new/params.json", "new" })
        {
            Assert.InRange(IndexOf(calls, "fsync", $".fairseq2llama-flushed/{path}>", replaced), replaced, swapped);
        }

        Assert.Contains($"{_folder["deep/.fairseq2llama-flushed"]}>", calls[swapped + 1], StringComparison.Ordinal);
        Assert.Contains($"{_folder["deep"]}>", calls[swapped + 2], StringComparison.Ordinal);
        Assert.Equal(swapped + 3, calls.Length);
    }

    private static int IndexOf(string[] calls, string name, string argument, int start = 0) => Array.FindIndex(
        calls, start, call => call.Contains(name, StringComparison.Ordinal) && call.Contains(argument, StringComparison.Ordinal));
}
