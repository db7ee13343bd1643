using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Prompt;

/// <summary>
/// The agent of Azure Pipelines obeys ##vso[…] anywhere in what a step prints, and ##[…] at the beginning of a line; a terminal turns text round
/// at U+202E. Names of folders, files and tensors are shown without them.
/// </summary>
[External]
public sealed class HostileOutputTests : IDisposable
{
    private const string FolderName = "##vso[task.setvariable variable=x]\u202e##[error]";

    private readonly Session _session = new();
    private readonly TempFolder _folder = new(FolderName);

    public HostileOutputTests()
    {
        PyTorch.Ask(
            """
            import sys, torch
            source = torch.load(f'{sys.argv[1]}/model.pt')
            for name in ('##[group]x', 'decoder.layers.0.##VSO[task.complete result=Failed]'):
                source['model'][name] = torch.ones(1)
            source['model']['##vso[task.debug]'] = 1
            torch.save(source, f'{sys.argv[2]}/model.pt')
            """,
            Repository.Case("fs2"),
            _folder.Path);

        _session.Location = _folder.Path;
        _session["path"] = _folder.Path;
        _session["tiny"] = TinyModel.Architecture;
        _session.Run("$checkpoint = Read-Fairseq2Checkpoint -LiteralPath $path");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath $path -Verbose")]
    [InlineData("$checkpoint | Get-CheckpointTensor")]
    [InlineData("$checkpoint | Test-LlamaCheckpoint -Architecture $tiny")]
    [InlineData("($checkpoint | Test-LlamaCheckpoint -Architecture $tiny).Findings")]
    [InlineData("Compare-LlamaCheckpoint $checkpoint $checkpoint")]
    [InlineData("Compare-LlamaCheckpoint $checkpoint $checkpoint -DifferentOnly")]
    [InlineData("Compare-LlamaCheckpoint $checkpoint $checkpoint -Tolerance 0 -Verbose")]
    [InlineData("Compare-LlamaCheckpoint $checkpoint $checkpoint -Summary")]
    [InlineData("(Compare-LlamaCheckpoint $checkpoint $checkpoint -Summary).Layers")]
    [InlineData("Merge-LlamaCheckpoint $checkpoint, $checkpoint")]
    [InlineData("(Merge-LlamaCheckpoint $checkpoint, $checkpoint).Sources")]
    [InlineData("$checkpoint | Export-LlamaReferenceCheckpoint out -Architecture $tiny")]
    [InlineData("$checkpoint | Export-LlamaReferenceCheckpoint out -Architecture $tiny -AllowUnmapped -WhatIf -Verbose")]
    [InlineData("$checkpoint | Export-LlamaReferenceCheckpoint '##[out' -Architecture $tiny -AllowUnmapped -Verbose")]
    [InlineData("$checkpoint | Export-LlamaReferenceCheckpoint -DestinationPath $path -Architecture $tiny -AllowUnmapped; $checkpoint | Export-LlamaReferenceCheckpoint -DestinationPath $path -AllowUnmapped -Architecture $tiny")]
    [InlineData("$checkpoint | Export-CheckpointReport '##[report.md' -WhatIf -Verbose")]
    [InlineData("Read-Fairseq2Checkpoint '##vso[x/y]'")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath '##vso[x/y]'")]
    public void Is_broken_up(string script)
    {
        var outcome = _session.RunOn($"{script} | Out-Default");
        string[] shown =
        [
            _session.Host.TakeText(), .. outcome.Warnings, .. outcome.Verbose, .. outcome.Errors.Select(error => $"{error}\n{error.CategoryInfo}"),
            .. outcome.Progress.Select(record => $"{record.Activity} {record.StatusDescription}"),
        ];

        // Something is shown of it, but for what is only a name.
        Assert.Contains(shown, text => text.Contains("##", StringComparison.Ordinal));
        Assert.All(shown, text => Assert.DoesNotMatch("(?i)##(vso)?\\[|\u202e", text));
    }

    [Fact]
    public void Scripts_still_get_the_true_names()
    {
        Assert.Contains("##[group]x", _session.Run<string>("($checkpoint | Get-CheckpointTensor).Name"));
        Assert.Equal(_folder.Path, _session.RunOne<string>("$checkpoint.Path"));
    }
}
