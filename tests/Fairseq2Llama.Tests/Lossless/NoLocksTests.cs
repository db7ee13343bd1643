using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>The destination's file system has no locks, as some that many machines share.</summary>
[Lossless]
public sealed class NoLocksTests : IDisposable
{
    private const string Script =
        """
        param($Module, $Checkpoint, $Folder)
        Import-Module $Module
        $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8
        $null = Read-Fairseq2Checkpoint $Checkpoint | Export-LlamaReferenceCheckpoint $Folder -Architecture $tiny -WarningVariable warnings -WarningAction SilentlyContinue
        $warnings
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Is_warned_of()
    {
        using var scratch = new TempFolder();
        using var process = ScriptProcess.Start(
            Script,
            [Repository.StagedModule, Repository.Case("fs2"), _folder["out"]],
            Strace.Command(scratch["log"], "flock", "flock:error=ENOLCK"));

        var warning = Assert.Single(process.WaitForSuccess());

        Assert.Contains($"The file system of '{_folder["out"]}' has no locks", warning, StringComparison.Ordinal);
        Assert.Equal(["out", "out/consolidated.00.pth", "out/params.json"], _folder.Content);
    }
}
