using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>Two processes export to the same destinations at the same time: of each pair one wins, and the other one is told so.</summary>
[Lossless]
public sealed class SimultaneousExportTests : IDisposable
{
    private const int Rounds = 12;

    /// <summary>Each round begins at the same time of the clock in both.</summary>
    private const string Script =
        """
        param($Module, $Checkpoint, $Folder, $Begin)
        Import-Module $Module
        $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8
        $checkpoint = Read-Fairseq2Checkpoint $Checkpoint
        $null = $checkpoint | Export-LlamaReferenceCheckpoint $Folder/warm-$PID -Architecture $tiny
        'ready'
        while (-not [IO.File]::Exists($Begin)) { [Threading.Thread]::Sleep(1) }
        $begin = [datetime]::new([long] [IO.File]::ReadAllText($Begin))
        foreach ($n in 0..11) {
            $arguments = @{ DestinationPath = "$Folder/$n"; Architecture = $tiny }
            if ($n % 3 -eq 2) { $arguments.ShardIndex = 0 }
            while ([datetime]::UtcNow -lt $begin.AddMilliseconds(100 * $n)) { }
            $null = $checkpoint | Export-LlamaReferenceCheckpoint @arguments -ErrorVariable failure -ErrorAction SilentlyContinue
            if ($failure) { $failure[0].FullyQualifiedErrorId.Split(',')[0] } else { 'ok' }
        }
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void One_wins_and_the_other_is_told()
    {
        for (var n = 1; n < Rounds; n += 3)
        {
            Directory.CreateDirectory(_folder[$"{n}"]);
        }

        string[] arguments = [Repository.StagedModule, Repository.Case("fs2"), _folder.Path, _folder["begin"]];
        using var first = ScriptProcess.Start(Script, arguments);
        using var second = ScriptProcess.Start(Script, arguments);
        Assert.Equal(("ready", "ready"), (first.ReadLine(), second.ReadLine()));
        File.WriteAllText(_folder["begin.draft"], $"{DateTime.UtcNow.AddMilliseconds(200).Ticks}");
        File.Move(_folder["begin.draft"], _folder["begin"]);

        var outcomes = first.WaitForSuccess().Zip(second.WaitForSuccess()).ToArray();

        Assert.Equal(Rounds, outcomes.Length);

        // A job that is planned when the other one has finished skips what that one has done.
        Assert.All(
            outcomes.Select((pair, n) => (pair, n)),
            round => Assert.True(round.pair is ("ok", "OutputExists") or ("OutputExists", "ok") || (round.n % 3 == 2 && round.pair is ("ok", "ok")), $"{round}"));

        for (var n = 2; n < Rounds; n += 3)
        {
            CheckpointExport.Plan(
                Fairseq2Checkpoint.Read(Repository.Case("fs2")), _folder[$"{n}"], new ReferenceExportOptions { Architecture = TinyModel.Architecture, CompleteShards = true }).Execute();
        }

        var expected = CheckpointFolder.Hashes(Directory.GetDirectories(_folder.Path, "warm-*")[0]);
        Assert.All(Enumerable.Range(0, Rounds), n => Assert.Equal(expected, CheckpointFolder.Hashes(_folder[$"{n}"])));
        Assert.DoesNotContain(_folder.Content, entry => entry.Contains(".fairseq2llama", StringComparison.Ordinal));
    }
}
