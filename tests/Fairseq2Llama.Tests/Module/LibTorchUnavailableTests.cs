using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.StagedModule;

/// <summary>
/// A session in which libtorch can't be loaded: making its tensors says so and what to do, everything else works. Native libraries are the
/// matter of a whole process, so each test runs one.
/// </summary>
[External]
public sealed class LibTorchUnavailableTests : IDisposable
{
    private const string Prepare =
        """
        param($Module, $Case, $Folder)
        $env:FAIRSEQ2LLAMA_LIBTORCH = $Folder
        Import-Module $Module
        $tiny = New-LlamaArchitecture tiny -ModelDim 16 -NumLayers 2 -NumAttnHeads 4 -NumKeyValueHeads 2 -VocabSize 40 -FfnInnerDimMultipleOf 8
        $checkpoint = Read-Fairseq2Checkpoint -LiteralPath $Case

        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Everything_else_works()
    {
        var lines = Run(
            """
            ($checkpoint | Test-LlamaCheckpoint -Architecture $tiny -Deep).Passed
            ($checkpoint | Export-LlamaReferenceCheckpoint $Folder/out -Architecture $tiny).Name
            ($checkpoint | Export-LlamaReferenceCheckpoint $Folder/cast -Architecture $tiny -DType BFloat16).Name
            @($checkpoint | Measure-CheckpointTensor -Histogram 3).Count -eq $checkpoint.Tensors.Length
            @(Compare-LlamaCheckpoint $checkpoint $checkpoint -Tolerance 0 | Where-Object Result -eq Equal).Count -eq $checkpoint.Tensors.Length
            ($checkpoint | Export-CheckpointReport $Folder/report.html -Architecture $tiny -Statistics).Name
            [AppDomain]::CurrentDomain.GetAssemblies().GetName().Name -match 'Torch'
            """);

        Assert.Equal(["True", "out", "cast", "True", "True", "report.html"], lines);
    }

    [Fact]
    public void What_needs_it_says_once_what_was_tried_and_what_to_do()
    {
        var lines = Run(
            "try { $checkpoint | Get-CheckpointTensor | ConvertTo-TorchTensor } catch { $_.FullyQualifiedErrorId; $_.CategoryInfo.Category; $_.ToString() }");

        Assert.Equal(3, lines.Count);
        Assert.StartsWith("LibTorchUnavailable,", lines[0], StringComparison.Ordinal);
        Assert.Equal("NotInstalled", lines[1]);
        Assert.Contains($"'{_folder.Path}' holds no ", lines[2], StringComparison.Ordinal);
        Assert.Contains("FAIRSEQ2LLAMA_LIBTORCH", lines[2], StringComparison.Ordinal);
        Assert.Contains("libtorch-cpu-", lines[2], StringComparison.Ordinal);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void It_can_be_mended_within_the_session()
    {
        LibTorch.Require();

        var lines = Run(
            """
            try { $checkpoint | Get-CheckpointTensor | ConvertTo-TorchTensor } catch { 'not yet' }
            $env:FAIRSEQ2LLAMA_LIBTORCH = ''
            @($checkpoint | Get-CheckpointTensor | ConvertTo-TorchTensor).Count -eq $checkpoint.Tensors.Length
            """);

        Assert.Equal(["not yet", "True"], lines);
    }

    [Fact]
    public void What_is_no_library_is_named_with_what_the_loader_said()
    {
        foreach (var name in new[] { "c10", "torch_cpu", "torch", "LibTorchSharp" })
        {
            File.WriteAllText(_folder[$"lib{name}.so"], "no library");
            File.WriteAllText(_folder[$"lib{name}.dylib"], "no library");
            File.WriteAllText(_folder[$"{name}.dll"], "no library");
        }

        var line = Assert.Single(Run("try { $checkpoint | Get-CheckpointTensor | ConvertTo-TorchTensor } catch { $_.ToString() }"));

        Assert.Contains("can't be loaded", line, StringComparison.Ordinal);
        Assert.Contains(_folder[OperatingSystem.IsWindows() ? "c10.dll" : OperatingSystem.IsMacOS() ? "libc10.dylib" : "libc10.so"], line, StringComparison.Ordinal);
    }

    private IReadOnlyList<string> Run(string script) =>
        ScriptProcess.Run(Prepare + script, Repository.StagedModule, Repository.Case("fs2"), _folder.Path);
}
