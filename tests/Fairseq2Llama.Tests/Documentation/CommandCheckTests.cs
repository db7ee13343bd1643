using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Documentation;

/// <summary>All PowerShell of the repository parses and calls only what the module has, by full names.</summary>
public sealed class CommandCheckTests : IDisposable
{
    private readonly Session _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Scripts_do() =>
        Check(Scripts.Files, "build.ps1", "examples/Convert-Checkpoint.ps1", "tests/Module.Tests.ps1", "module/Fairseq2Llama.psd1");

    [Fact]
    public void Views_do() => Check(Scripts.Views, "module/Views/CheckpointTest.Format.ps1xml");

    [Fact]
    public void Steps_of_pipelines_do() => Check(Scripts.Steps, "examples/azure-pipelines/export-shards.yml");

    [Fact]
    public void Examples_of_help_do() => Check(Scripts.HelpExamples, "module/en-US/Fairseq2Llama.dll-Help.xml");

    [Fact]
    public void Examples_of_topics_do() => Check(Scripts.Topics, "module/en-US/about_Fairseq2Llama.help.txt");

    [Fact]
    public void Pages_do() => Check(Scripts.Pages, "README.md");

    [Theory]
    [InlineData("if (1) {", "here.ps1:7: Missing closing '}' in statement block or type definition.")]
    [InlineData("\nRead-LlamaModel x", "here.ps1:8: there is no Read-LlamaModel")]
    [InlineData("1 | ForEach-Object { Get-CheckpointTensors $_ }", "here.ps1:7: there is no Get-CheckpointTensors")]
    [InlineData("$a |\n  Get-CheckpointTensor -Layers 0", "here.ps1:8: Get-CheckpointTensor has no -Layers")]
    [InlineData("$a | Get-CheckpointTensor -Lay 0", "here.ps1:7: Get-CheckpointTensor has no -Lay")]
    [InlineData("\"$(Read-Fairseq2Checkpoint x -Steps:1)\"", "here.ps1:7: Read-Fairseq2Checkpoint has no -Steps")]
    public void Finds_what_is_wrong(string code, string mistake) => Assert.Equal([mistake], Check().Of(new Snippet("here.ps1", 7, code)));

    [Theory]
    [InlineData("get-checkpointtensor -layer 0 -Verbose -ErrorAction Stop")]
    [InlineData("Export-LlamaReferenceCheckpoint x @how -WhatIf -Force:$true")]
    [InlineData("Get-ChildItem -Nothing; Write-CommandHelp -Path x; & $command -Nothing")]
    [InlineData("function Show-Checkpoint { }; Show-Checkpoint -Nothing")]
    public void Lets_pass_what_is_right(string code) => Assert.Empty(Check().Of(new Snippet("here.ps1", 7, code)));

    private CommandCheck Check() => new(_session.RunOne<PSModuleInfo>("Get-Module Fairseq2Llama").ExportedCmdlets);

    private void Check(IEnumerable<Snippet> snippets, params string[] among)
    {
        var all = snippets.ToArray();

        Assert.Subset(all.Select(snippet => snippet.File).ToHashSet(), among.ToHashSet());

        var mistakes = all.SelectMany(Check().Of).ToArray();
        Assert.True(mistakes.Length == 0, string.Join('\n', mistakes));
    }
}
