using System.Diagnostics;
using System.Globalization;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>
/// A process that replaces an export to Hugging Face's or fairseq2's format is killed at one of its renames: the folder can't be taken for whole
/// unless it is, and the next export finishes it or begins anew.
/// </summary>
[Lossless]
public sealed class KilledReplacementTests : IDisposable
{
    private const string Script =
        """
        param($Module, $Command, $Model, $Folder)
        $PID
        Import-Module $Module
        $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8
        & ([scriptblock]::Create("Read-Fairseq2Checkpoint '$Model' | $Command -DestinationPath '$Folder' -Architecture `$tiny -Force"))
        """;

    private const string ToHuggingFace = "Export-LlamaHuggingFaceCheckpoint -MaxShardSize 8KB", ToFairseq2 = "Export-Fairseq2Checkpoint";

    private readonly TempFolder _folder = new();
    private readonly Session _session = new();

    public KilledReplacementTests()
    {
        _session["cases"] = Repository.Data("checkpoints");
        _session["tiny"] = TinyModel.Architecture;
        _session.Location = _folder.Path;
        _session.Run("$old = Read-Fairseq2Checkpoint $cases/fs2; $new = Read-Fairseq2Checkpoint $cases/parameters");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(ToHuggingFace, "config.json", 2)]
    [InlineData(ToHuggingFace, "config.json", 4)]
    [InlineData(ToHuggingFace, "config.json", 9)]
    [InlineData(ToFairseq2, "model.pt", 2)]
    [InlineData(ToFairseq2, "model.pt", 4)]
    public void Never_passes_for_whole_and_can_be_done_again(string command, string completion, int rename)
    {
        CheckpointFolder.AddNotes(_folder["out"]);
        _session.Run($"$null = $new | {command} -DestinationPath new -Architecture $tiny");
        _session.Run($"$null = $old | {command.Replace("8KB", "4KB", StringComparison.Ordinal)} -DestinationPath out -Architecture $tiny");
        var (before, after) = (CheckpointFolder.Hashes(_folder["out"]), CheckpointFolder.Hashes(_folder["new"]));

        using (var scratch = new TempFolder())
        {
            KillAt(rename, scratch["log"], command);
        }

        var killed = CheckpointFolder.Hashes(_folder["out"]);
        Assert.True(Directory.Exists(_folder["out/.fairseq2llama"]), "it was not killed in the middle");
        Assert.True(!killed.ContainsKey(completion) || AreSame(killed, before) || AreSame(killed, after));

        _session.Run($"$null = $new | {command} -DestinationPath out -Architecture $tiny -Force -WarningAction SilentlyContinue");

        Assert.Equal(after, CheckpointFolder.Hashes(_folder["out"]));
        Assert.False(Directory.Exists(_folder["out/.fairseq2llama"]));
    }

    /// <summary>That rename is so late that the process is dead by then.</summary>
    private void KillAt(int rename, string log, string command)
    {
        using var process = ScriptProcess.Start(
            Script,
            [Repository.StagedModule, command, Repository.Case("parameters"), _folder["out"]],
            Strace.Command(log, Strace.Renames, $"{Strace.Renames}:delay_enter=1500000:when={rename}"));
        var id = int.Parse(process.ReadLine(), CultureInfo.InvariantCulture);

        Assert.True(SpinWait.SpinUntil(() => CountLines(log) == rename - 1, TimeSpan.FromMinutes(1)));
        Process.GetProcessById(id).Kill();
        process.WaitForEnd();
    }

    private static int CountLines(string log)
    {
        using var reader = new StreamReader(new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Count(character => character == '\n');
    }

    private static bool AreSame(Dictionary<string, string> one, Dictionary<string, string> other) => one.OrderBy(file => file.Key).SequenceEqual(other.OrderBy(file => file.Key));
}
