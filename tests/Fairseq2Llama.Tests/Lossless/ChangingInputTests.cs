using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Lossless;

/// <summary>Somebody changes the input while a process exports it.</summary>
[Lossless]
public sealed class ChangingInputTests : IDisposable
{
    private const string Script =
        """
        param($Module, $Checkpoint, $Folder)
        Import-Module $Module
        $big = New-LlamaArchitecture big -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 4000000 -FfnInnerDimMultipleOf 8
        $null = Read-Fairseq2Checkpoint $Checkpoint | Export-LlamaReferenceCheckpoint $Folder -Architecture $big -Force -WarningAction SilentlyContinue -ErrorVariable failure -ErrorAction SilentlyContinue
        if ($failure) { "$($failure[0].FullyQualifiedErrorId.Split(',')[0]): $failure" } else { 'ok' }
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("truncated")]
    [InlineData("longer")]
    [InlineData("rewritten")]
    public void Is_noticed_and_leaves_the_earlier_export_as_it_was(string change)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "nobody can write there into a file that is read");

        BigCheckpoint.Write(_folder["big"], TinyModel.Architecture with { VocabSize = 4_000_000 });
        Directory.CreateDirectory(_folder["out"]);
        File.WriteAllText(_folder["out/params.json"], "old");
        File.WriteAllText(_folder["out/consolidated.00.pth"], "old");

        using var process = ScriptProcess.Start(Script, [Repository.StagedModule, _folder["big"], _folder["out"]]);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(_folder[".fairseq2llama-out/new/consolidated.00.pth"]), TimeSpan.FromMinutes(1)));

        using (var input = new FileStream(_folder["big/model.pt"], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            switch (change)
            {
                case "truncated":
                    input.SetLength(input.Length / 2);
                    break;
                case "longer":
                    input.SetLength(input.Length + 1);
                    break;
                case "rewritten":
                    input.Position = input.Length - 1000;
                    input.Write(new byte[1000]);
                    break;
            }
        }

        var outcome = string.Join(' ', process.WaitForSuccess());
        Assert.StartsWith("CheckpointCorrupt: ", outcome, StringComparison.Ordinal);
        Assert.Equal(["out", "out/consolidated.00.pth", "out/params.json"], _folder.Content.Where(entry => entry.StartsWith("out", StringComparison.Ordinal)));
        Assert.All(Directory.EnumerateFiles(_folder["out"]), file => Assert.Equal("old", File.ReadAllText(file)));
    }
}
