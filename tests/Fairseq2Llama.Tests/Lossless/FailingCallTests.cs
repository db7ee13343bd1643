using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>
/// Every system call of an export that concerns its input or its destination fails once. Whatever the export says is true then: it is done, or
/// nothing has changed; and the next one succeeds and leaves nothing behind.
/// </summary>
[Lossless]
public sealed class FailingCallTests : IDisposable
{
    /// <summary>
    /// Prints a line for each call: its number, the outcome, what lies in the destination, and the same after an export that nothing disturbs.
    /// </summary>
    private const string Script =
        """
        param($Module, $Folder, $Options, $ErrorNumber)
        Import-Module $Module
        $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8
        $checkpoint = Read-Fairseq2Checkpoint $Folder/input
        $arguments = @{ DestinationPath = "$Folder/out"; Architecture = $tiny; Force = $true; Flush = $Options -eq 'Flush'; WarningAction = 'SilentlyContinue' }

        function Describe {
            $files = if ([IO.Directory]::Exists("$Folder/out")) { [IO.Directory]::GetFiles("$Folder/out") } else { @() }
            [array]::Sort($files)
            $hashes = $files | ForEach-Object {
                [IO.Path]::GetFileName($_) + ':' + [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([IO.File]::ReadAllBytes($_))).Substring(0, 8)
            }
            "$($hashes -join ',')"
        }

        function CountLeftovers {
            [IO.Directory]::GetFileSystemEntries($Folder, '.fairseq2llama*').Count + [IO.Directory]::GetFileSystemEntries("$Folder/out", '.fairseq2llama*').Count
        }

        $isFired = $true

        for ($n = 1; $isFired; $n++) {
            if ([IO.Directory]::Exists("$Folder/out")) { [IO.Directory]::Delete("$Folder/out", $true) }

            if ([IO.Directory]::Exists("$Folder/old")) {
                $null = [IO.Directory]::CreateDirectory("$Folder/out")
                foreach ($file in [IO.Directory]::GetFiles("$Folder/old", '*', 'AllDirectories')) {
                    $copy = $file.Replace("$Folder/old", "$Folder/out")
                    $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($copy))
                    [IO.File]::Copy($file, $copy)
                }
            }

            $failure = $null
            $null = [IO.File]::Exists("/failing-calls/$n/$ErrorNumber")
            $null = $checkpoint | Export-LlamaReferenceCheckpoint @arguments -ErrorVariable failure -ErrorAction SilentlyContinue
            $isFired = [IO.File]::Exists('/failing-calls/fired')
            $outcome = if ($failure) { $failure[0].FullyQualifiedErrorId.Split(',')[0] } else { 'ok' }
            $disturbed = Describe
            $null = $checkpoint | Export-LlamaReferenceCheckpoint @arguments -ErrorVariable failure -ErrorAction SilentlyContinue
            "$n|$outcome|$disturbed|$(if ($failure) { $failure[0] } else { 'ok' })|$(Describe)|$(CountLeftovers)|$isFired"
        }
        """;

    private static readonly string[] Documented = ["WriteFailed", "ReadFailed", "InsufficientDiskSpace", "OutputExists", "CheckpointNotFound", "CheckpointCorrupt"];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// To where nothing is; to an earlier export, which is replaced as a whole, and file by file, where somebody else's file lies beside; and to
    /// one whose replacement was interrupted, which is finished first.
    /// </summary>
    [Theory]
    [InlineData("new", "Flush", 5)]
    [InlineData("new", "", 28)]
    [InlineData("replaced", "", 5)]
    [InlineData("replaced", "", 28)]
    [InlineData("beside", "", 5)]
    [InlineData("interrupted", "", 5)]
    public void Is_reported_or_does_no_harm(string destination, string options, int error)
    {
        CheckpointFolder.Copy("fs2", _folder["input"]);

        using (var session = new Session())
        {
            session["cases"] = Repository.Data("checkpoints");
            session["tiny"] = TinyModel.Architecture;
            session.Location = _folder.Path;
            session.Run("$null = Read-Fairseq2Checkpoint $cases/fs2 | Export-LlamaReferenceCheckpoint expected -Architecture $tiny");

            if (destination != "new")
            {
                session.Run("$null = Read-Fairseq2Checkpoint $cases/tp2-llama3 | Export-LlamaReferenceCheckpoint old -Architecture $tiny");
            }
        }

        if (destination == "beside")
        {
            CheckpointFolder.AddNotes(_folder["old"]);
            CheckpointFolder.AddNotes(_folder["expected"]);
        }

        if (destination == "interrupted")
        {
            Directory.CreateDirectory(_folder["old/.fairseq2llama/new"]);
            File.Move(_folder["old/params.json"], _folder["old/.fairseq2llama/new/params.json"]);
            File.WriteAllText(_folder["old/.fairseq2llama/commit"], "fairseq2llama commit journal 1\nremove params.json\nremove consolidated.00.pth\nplace consolidated.00.pth\nplace params.json\n");
        }

        var before = Describe("old");
        var after = Describe("expected");
        using var scratch = new TempFolder();
        using var process = ScriptProcess.Start(
            Script, [Repository.StagedModule, _folder.Path, options, $"{error}"], FailingCalls.Command(_folder.Path, scratch));
        List<string> lines = [process.ReadLine()];

        // One by one, because together they may take longer than any script should be waited for.
        while (lines[^1].EndsWith("True", StringComparison.Ordinal))
        {
            lines.Add(process.ReadLine());
        }

        Assert.Empty(process.WaitForSuccess());
        var calls = File.ReadAllLines(scratch["log"]);

        Assert.All(lines, (line, index) =>
        {
            var call = index < calls.Length ? calls[index] : "none";
            Assert.True(
                line.Split('|') is [_, var outcome, var disturbed, "ok", var undisturbed, "0", _]
                    && (outcome == "ok" ? disturbed == after : Documented.Contains(outcome) && (disturbed == before || destination == "interrupted"))
                    && undisturbed == after,
                $"{call}: {line}\nbefore: {before}\nafter: {after}");
        });

        // All kinds of calls are among them, and the last line is of an export in which none was left to fail.
        Assert.Equal(lines.Count - 1, calls.Length);
        Assert.InRange(calls.Length, 50, 1000);
        Assert.Superset(new HashSet<string>(["open", "pwrite", "close", "mkdir", "statx"]), calls.Select(call => call.Split(' ')[0]).ToHashSet());
    }

    private string Describe(string folder) => !Directory.Exists(_folder[folder]) ? "" : string.Join(
        ',',
        Directory.EnumerateFiles(_folder[folder])
            .Order(StringComparer.Ordinal)
            .Select(file => $"{Path.GetFileName(file)}:{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))[..8]}"));
}
