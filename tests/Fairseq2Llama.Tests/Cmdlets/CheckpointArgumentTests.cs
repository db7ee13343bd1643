using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Wherever a command takes a checkpoint it takes the path of one, too.</summary>
public sealed class CheckpointArgumentTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public CheckpointArgumentTests()
    {
        _session["tiny"] = TinyModel.Architecture;
        _session["fs2Item"] = new DirectoryInfo(_folder["fs2"]);
        _session["hfItem"] = new DirectoryInfo(_folder["hf"]);
        _session.Location = _folder.Path;
        CheckpointFolder.Copy("fs2", _folder["fs2"]);
        _session.Run("$fs2 = Read-LlamaCheckpoint fs2; $null = $fs2 | Export-LlamaReferenceCheckpoint meta -Architecture $tiny; $hf = $fs2 | Export-LlamaHuggingFaceCheckpoint hf -Architecture $tiny");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("Get-CheckpointTensor fs2", 21)]
    [InlineData("Get-CheckpointTensor fs2, meta", 42)]
    [InlineData("Get-CheckpointTensor -Path $fs2", 21)]
    [InlineData("Get-CheckpointTensor -Checkpoint fs2", 21)]
    [InlineData("Get-CheckpointTensor fs2 -Layer 1", 9)]
    [InlineData("Get-CheckpointTensor fs2 *q_proj*", 2)]
    [InlineData("Get-CheckpointTensor $hf *q_proj*, *k_proj*", 4)]
    [InlineData("$hf | Get-CheckpointTensor *q_proj*, *k_proj*", 4)]
    [InlineData("'fs2', 'hf' | Get-CheckpointTensor *q_proj*", 4)]
    [InlineData("$fs2Item | Get-CheckpointTensor *q_proj* -Layer 0", 1)]
    [InlineData("Get-CheckpointTensor $fs2Item *q_proj*", 2)]
    [InlineData("Get-CheckpointTensor [fh]* *q_proj*", 4)]
    public void Tensors_are_got_by_path(string script, int count) => Assert.Equal(count, _session.Run<CheckpointTensor>(script).Length);

    [Theory]
    [InlineData("Measure-CheckpointTensor fs2")]
    [InlineData("Measure-CheckpointTensor -Checkpoint fs2")]
    [InlineData("Measure-CheckpointTensor -Path fs2")]
    [InlineData("'fs2' | Measure-CheckpointTensor")]
    [InlineData("$fs2Item | Measure-CheckpointTensor")]
    public void Tensors_are_measured_by_path(string script) =>
        Assert.Equal(_session.Run("$fs2 | Measure-CheckpointTensor | ForEach-Object { \"$($_.Name) $($_.Norm)\" }"), _session.Run($"{script} | ForEach-Object {{ \"$($_.Name) $($_.Norm)\" }}"));

    [Theory]
    [InlineData("Compare-LlamaCheckpoint fs2 hf")]
    [InlineData("Compare-LlamaCheckpoint fs2 $hf")]
    [InlineData("Compare-LlamaCheckpoint $fs2 h?")]
    [InlineData("'hf' | Compare-LlamaCheckpoint fs2")]
    [InlineData("$hfItem | Compare-LlamaCheckpoint $fs2Item")]
    public void Checkpoints_are_compared_by_path(string script)
    {
        var comparisons = _session.Run<TensorComparison>(script);

        Assert.Equal(21, comparisons.Length);
        Assert.All(comparisons, comparison => Assert.Equal(("fs2", "hf", ComparisonResult.Equal), (comparison.Reference, comparison.Difference, comparison.Result)));
    }

    [Theory]
    [InlineData("fs2")]
    [InlineData("meta")]
    [InlineData("hf")]
    public void Checkpoints_of_every_format_are_tested(string name)
    {
        var result = _session.RunOne<CheckpointTestResult>($"Test-LlamaCheckpoint {name} -Architecture $tiny -Deep");

        Assert.Empty(result.Findings);
        Assert.Equal((name, _folder[name]), (result.Name, result.Path));
        Assert.Equal(result.Passed, _session.RunOne<bool>($"Read-LlamaCheckpoint {name} | Test-LlamaCheckpoint -Architecture $tiny -Deep -Quiet"));
    }

    [Theory]
    [InlineData("Get-CheckpointTensor none", "none")]
    [InlineData("Get-CheckpointTensor no*", "no*")]
    [InlineData("Measure-CheckpointTensor none", "none")]
    [InlineData("Compare-LlamaCheckpoint fs2 none", "none")]
    [InlineData("Export-LlamaReferenceCheckpoint none out", "none")]
    public void What_is_not_there_is_an_error_of_the_command(string script, string path) => _session.RunForError(CheckpointErrorCode.CheckpointNotFound, script, path);

    [Theory]
    [InlineData("Compare-LlamaCheckpoint none fs2", "CheckpointNotFound")]
    [InlineData("Compare-LlamaCheckpoint * fs2", "CheckpointNotFound")]
    [InlineData("$fs2 | Get-CheckpointTensor hf *q_proj*", "AmbiguousParameterSet")]
    public void What_can_only_be_one_checkpoint_ends_the_command(string script, string id) =>
        Assert.StartsWith(id, _session.RunForTerminatingError(script).FullyQualifiedErrorId, StringComparison.Ordinal);

    [Theory]
    [InlineData("Export-Fairseq2Checkpoint out")]
    [InlineData("Export-CheckpointReport out.html")]
    [InlineData("Test-LlamaCheckpoint")]
    [InlineData("Measure-CheckpointTensor")]
    [InlineData("Compare-LlamaCheckpoint fs2")]
    public void An_empty_pipeline_is_warned_of(string command) =>
        Assert.Contains("the pipeline is empty", Assert.Single(_session.RunOn($"@() | {command}").Warnings), StringComparison.Ordinal);

    [Fact]
    public void A_path_is_read_with_all_that_there_is_to_tell() =>
        Assert.Contains(_session.RunOn("Get-CheckpointTensor hf -Verbose").Verbose, line => line.Contains("Hugging Face", StringComparison.Ordinal));
}
