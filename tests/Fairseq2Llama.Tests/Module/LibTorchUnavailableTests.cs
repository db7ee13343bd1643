using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.StagedModule;

/// <summary>
/// A session in which libtorch can't be loaded: what needs it says so and what to do, everything else works. Native libraries are the matter of a
/// whole process, so each test runs one.
/// </summary>
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
    public void Everything_without_arithmetic_works()
    {
        var lines = Run(
            """
            ($checkpoint | Test-Fairseq2Checkpoint -Architecture $tiny -Deep).Passed
            ($checkpoint | Export-LlamaReferenceCheckpoint $Folder/out -Architecture $tiny).Name
            ($checkpoint | Export-LlamaReferenceCheckpoint $Folder/same -Architecture $tiny -DType Float32).Name
            ($checkpoint | Export-CheckpointReport $Folder/report.html -Architecture $tiny).Name
            [AppDomain]::CurrentDomain.GetAssemblies().GetName().Name -match 'Torch'
            """);

        Assert.Equal(["True", "out", "same", "report.html"], lines);
    }

    [Theory]
    [InlineData("$checkpoint | Measure-CheckpointTensor")]
    [InlineData("$checkpoint | Get-CheckpointTensor | ConvertTo-TorchTensor")]
    [InlineData("$checkpoint | Export-LlamaReferenceCheckpoint $Folder/out -Architecture $tiny -DType BFloat16")]
    [InlineData("$checkpoint | Export-LlamaReferenceCheckpoint $Folder/out -Architecture $tiny -DType BFloat16 -WhatIf")]
    [InlineData("$checkpoint | Export-CheckpointReport $Folder/new/report.html -Architecture $tiny -Statistics")]
    [InlineData("$checkpoint | Export-CheckpointReport $Folder/new/report.html -Architecture $tiny -Statistics -WhatIf")]
    public void What_needs_it_says_once_what_was_tried_and_what_to_do(string script)
    {
        var lines = Run($"try {{ {script} }} catch {{ $_.FullyQualifiedErrorId; $_.CategoryInfo.Category; $_.ToString() }}");

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
            try { $checkpoint | Measure-CheckpointTensor } catch { 'not yet' }
            $env:FAIRSEQ2LLAMA_LIBTORCH = ''
            @($checkpoint | Measure-CheckpointTensor).Count -eq $checkpoint.Tensors.Length
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

        var line = Assert.Single(Run("try { $checkpoint | Measure-CheckpointTensor } catch { $_.ToString() }"));

        Assert.Contains("can't be loaded", line, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_folder.Path, "libc10.so"), line, StringComparison.Ordinal);
    }

    private IReadOnlyList<string> Run(string script) =>
        ScriptProcess.Run(Prepare + script, Repository.StagedModule, Repository.Case("fs2"), _folder.Path);
}
