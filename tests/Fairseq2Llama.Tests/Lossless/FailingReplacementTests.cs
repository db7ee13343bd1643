using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>-Force fails half-way: the operating system refuses the first, second, … rename.</summary>
public sealed class FailingReplacementTests : IDisposable
{
    /// <summary>Prints after every export how it ended, and the hash of every file that lies in the folder then.</summary>
    private const string Script =
        """
        param($Module, $Inputs, $Folder)
        Import-Module $Module
        $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8
        $checkpoints = 'tp2-llama3', 'fs2' | ForEach-Object { Read-Fairseq2Checkpoint $Inputs/$_ }
        foreach ($n in 0..29) {
            $null = $checkpoints[$n % 2] | Export-LlamaReferenceCheckpoint $Folder -Architecture $tiny -Force -ErrorVariable failure -ErrorAction SilentlyContinue
            $outcome = if ($failure) { $failure[0].FullyQualifiedErrorId.Split(',')[0] } else { 'ok' }
            $files = [IO.Directory]::GetFiles($Folder)
            [array]::Sort($files)
            $hashes = $files | ForEach-Object {
                [IO.Path]::GetFileName($_) + [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([IO.File]::ReadAllBytes($_)))
            }
            "$outcome $([IO.Directory]::GetDirectories($Folder).Count) $hashes"
        }
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Leaves_the_earlier_export_as_it_was_whichever_file_can_not_be_moved()
    {
        // Each nineteenth rename, which is another one of an export each time, since no number of exports takes so many.
        using var scratch = new TempFolder();
        using var process = ScriptProcess.Start(
            Script,
            [Repository.StagedModule, Repository.Data("checkpoints"), _folder["old"]],
            Strace.Command(scratch["log"], Strace.Renames, "error=EACCES:when=3+19"));

        var outcomes = process.WaitForSuccess().Select(line => line.Split(' ', 3)).ToArray();

        Assert.Equal(30, outcomes.Length);
        Assert.All(outcomes, outcome => Assert.Equal("0", outcome[1]));

        // The same files as before, or all of the new ones, of which there are two in every other export and three in those between.
        var whole = outcomes.Select((outcome, n) => (outcome, n)).Where(item => item.outcome[0] == "ok").ToLookup(item => item.n % 2, item => item.outcome[2]);

        for (var n = 1; n < outcomes.Length; n++)
        {
            Assert.True(outcomes[n][0] is "ok" or "WriteFailed", outcomes[n][0]);
            Assert.Equal(outcomes[n][0] == "ok" ? whole[n % 2].First() : outcomes[n - 1][2], outcomes[n][2]);
        }

        Assert.InRange(outcomes.Count(outcome => outcome[0] == "WriteFailed"), 4, 20);
        Assert.NotEqual(whole[0].First(), whole[1].First());
    }
}
