using System.Diagnostics;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>
/// A process that makes many exports at the same time, over and over, is killed: each of them is hit at another moment. What is found
/// then is whole or absent, and the next export succeeds and leaves nothing but itself.
/// </summary>
[Lossless]
public sealed class KilledExportTests : IDisposable
{
    private const int Lanes = 12;

    /// <summary>A third of the lanes makes new exports, a third replaces the one before, a third makes one in two jobs.</summary>
    private const string Script =
        """
        param($Module, $Inputs, $Folder)
        $PID
        1..12 | ForEach-Object -ThrottleLimit 12 -Parallel {
            $WarningPreference = 'SilentlyContinue'
            Import-Module $using:Module
            $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8
            $inputs = 'one', 'two', 'big' | ForEach-Object { Read-Fairseq2Checkpoint "$using:Inputs/$_" }
            $architectures = $tiny, $tiny, (New-LlamaArchitecture big -BasedOn $tiny -VocabSize 20000)

            $lane = $_

            for ($n = 0; $true; $n++) {
                $checkpoint = $inputs[$n % 3]
                $architecture = $architectures[$n % 3]
                switch ($lane % 3) {
                    0 { $checkpoint | Export-LlamaReferenceCheckpoint "$using:Folder/new-$lane/$n" -Architecture $architecture > $null }
                    1 { $checkpoint | Export-LlamaReferenceCheckpoint "$using:Folder/force-$lane" -Architecture $architecture -Force > $null }
                    2 {
                        $half = [Math]::Floor($n / 2)
                        foreach ($index in 0, 1) {
                            $inputs[1] | Export-LlamaReferenceCheckpoint "$using:Folder/jobs-$lane/$half" -Architecture $tiny -ShardIndex $index -Force:($n % 2) > $null
                        }
                        $inputs[1] | Export-LlamaReferenceCheckpoint "$using:Folder/jobs-$lane/$half" -Architecture $tiny -CompleteShards -Force:($n % 2) > $null
                    }
                }
                if ($n -eq 0) { 'ready' }
            }
        }
        """;

    private readonly TempFolder _inputs = new("inputs");
    private readonly TempFolder _out = new();
    private readonly Session _session = new();
    private readonly Dictionary<string, string>[] _expected;

    public KilledExportTests()
    {
        CheckpointFolder.Copy("fs2", _inputs["one"]);
        CheckpointFolder.Copy("tp2-llama3", _inputs["two"]);
        BigCheckpoint.Write(_inputs["big"], TinyModel.Architecture with { VocabSize = 20_000 });
        _session["tiny"] = TinyModel.Architecture;
        _session["big"] = TinyModel.Architecture with { Name = "big", VocabSize = 20_000 };
        _session["inputs"] = _inputs.Path;

        using var undisturbed = new TempFolder();
        _session.Location = undisturbed.Path;
        _session.Run("Read-Fairseq2Checkpoint $inputs/one, $inputs/two | Export-LlamaReferenceCheckpoint -DestinationPath { $_.Name } -Architecture $tiny");
        _session.Run("Read-Fairseq2Checkpoint $inputs/big | Export-LlamaReferenceCheckpoint big -Architecture $big");
        _expected = [CheckpointFolder.Hashes(undisturbed["one"]), CheckpointFolder.Hashes(undisturbed["two"]), CheckpointFolder.Hashes(undisturbed["big"])];
        _session.Location = _out.Path;

        // Of the folders that are replaced, every other one is replaced file by file.
        CheckpointFolder.AddNotes(_out["force-1"]);
        CheckpointFolder.AddNotes(_out["force-7"]);
    }

    public void Dispose()
    {
        _session.Dispose();
        _inputs.Dispose();
        _out.Dispose();
    }

    [Theory]
    [InlineData(1, "-KILL")]
    [InlineData(2, "-KILL")]
    [InlineData(4, "-TERM")]
    public void At_a_random_moment(int seed, string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no signals there");

        using var process = ScriptProcess.Start(Script, [Repository.StagedModule, _inputs.Path, _out.Path]);
        var id = WaitUntilReady(process);

        Thread.Sleep(new Random(seed).Next(400));
        Kill(id, signal);
        process.WaitForEnd();

        CheckAll();
    }

    /// <summary>Renames take so long that some are under way at any time.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    public void While_files_are_being_put_in_place(int seed)
    {
        using var scratch = new TempFolder();
        using var process = ScriptProcess.Start(
            Script, [Repository.StagedModule, _inputs.Path, _out.Path], Strace.Command(scratch["log"], Strace.Renames, $"{Strace.Renames}:delay_enter=20000"));
        var id = WaitUntilReady(process);

        Thread.Sleep(new Random(seed).Next(200));
        Assert.True(SpinWait.SpinUntil(() => Folders("force-").Any(IsHalfDone), TimeSpan.FromMinutes(1)));
        Kill(id, "-KILL");
        process.WaitForEnd();

        CheckAll();
    }

    private static int WaitUntilReady(ScriptProcess process)
    {
        var id = int.Parse(process.ReadLine());

        for (var lane = 0; lane < Lanes; lane++)
        {
            Assert.Equal("ready", process.ReadLine());
        }

        return id;
    }

    private static void Kill(int id, string signal)
    {
        using var kill = Process.Start("kill", [signal, $"{id}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    private void CheckAll()
    {
        Assert.Equal((Lanes, Lanes / 3), (Folders("").Count(folder => Path.GetFileName(folder)[0] != '.'), Folders("new-").Length));

        Array.ForEach(Folders("new-"), CheckNew);
        Array.ForEach(Folders("force-"), CheckReplaced);
        Array.ForEach(Folders("jobs-"), CheckJobs);
        RequireNothingElse(_out.Path);
    }

    private void CheckNew(string lane)
    {
        var made = Directory.GetDirectories(lane).Select(Path.GetFileName).Where(name => name![0] != '.').Select(name => int.Parse(name!)).Order().ToArray();
        Assert.NotEmpty(made);
        Assert.All(made, n => Assert.Equal(_expected[n % 3], CheckpointFolder.Hashes($"{lane}/{n}")));

        // The one that was last there is whole, so the next is the one that was killed, if that one was not cleaned up just then.
        RequireExists($"{lane}/{made[^1]}");
        _session.Run($"Read-Fairseq2Checkpoint $inputs/two | Export-LlamaReferenceCheckpoint '{lane}/{made[^1] + 1}' -Architecture $tiny");
        Assert.Equal(_expected[1], CheckpointFolder.Hashes($"{lane}/{made[^1] + 1}"));
        RequireNothingElse(lane);
    }

    private void CheckReplaced(string folder)
    {
        // Who finds a params.json may read the rest; without one it is being put in place, and the note of that is there.
        if (File.Exists($"{folder}/params.json"))
        {
            Assert.Contains(CheckpointFolder.Hashes(folder), _expected);
        }
        else
        {
            Assert.True(File.Exists($"{folder}/.fairseq2llama/commit"), folder);
        }

        RequireExists(folder);
        Assert.Contains(CheckpointFolder.Hashes(folder), _expected);
        RequireNothingElse(folder);

        _session.Run($"Read-Fairseq2Checkpoint $inputs/one | Export-LlamaReferenceCheckpoint '{folder}' -Architecture $tiny -Force");
        Assert.Equal(_expected[0], CheckpointFolder.Hashes(folder));
        RequireNothingElse(folder);
    }

    private void CheckJobs(string lane)
    {
        foreach (var folder in Directory.GetDirectories(lane))
        {
            Assert.All(CheckpointFolder.Hashes(folder).Where(file => file.Key[0] != '.'), file => Assert.Equal(_expected[1][file.Key], file.Value));
        }

        var last = Directory.GetDirectories(lane).MaxBy(folder => int.Parse(Path.GetFileName(folder)))!;
        _session.Run($"$two = Read-Fairseq2Checkpoint $inputs/two; 0, 1 | ForEach-Object {{ $two | Export-LlamaReferenceCheckpoint '{last}' -Architecture $tiny -ShardIndex $_ -Force }}");
        _session.Run($"$two | Export-LlamaReferenceCheckpoint '{last}' -Architecture $tiny -CompleteShards -Force");
        Assert.Equal(_expected[1], CheckpointFolder.Hashes(last));
        RequireNothingElse(lane);
    }

    /// <summary>Without -Force an export to what is there is refused, but cleans up.</summary>
    private void RequireExists(string folder) =>
        Assert.Equal(
            ["OutputExists"],
            _session.RunOn($"Read-Fairseq2Checkpoint $inputs/one | Export-LlamaReferenceCheckpoint '{folder}' -Architecture $tiny").ErrorIds);

    private static void RequireNothingElse(string folder) =>
        Assert.DoesNotContain(
            Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories),
            entry => entry.Contains(".fairseq2llama", StringComparison.Ordinal) || Path.GetFileName(entry) is "new" or "replaced" or "lock" or "commit");

    private static bool IsHalfDone(string folder) => File.Exists($"{folder}/.fairseq2llama/commit") && !File.Exists($"{folder}/params.json");

    private string[] Folders(string prefix) => Directory.GetDirectories(_out.Path, prefix + "*");
}
