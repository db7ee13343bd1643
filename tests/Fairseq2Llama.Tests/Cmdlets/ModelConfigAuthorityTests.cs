using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Who decides the architecture: the user before model.yaml, model.yaml before the shapes.</summary>
public sealed class ModelConfigAuthorityTests : IDisposable
{
    private const string Tiny =
        """
        model_family: llama
        model_config:
          model_dim: 16
          max_seq_len: 2048
          vocab_size: 40
          num_layers: 2
          num_attn_heads: 4
          num_key_value_heads: 2
          ffn_inner_dim: 64
          ffn_inner_dim_multiple_of: 8
          rope_theta: 12345.0
        """;

    private readonly Session _session = new();
    private readonly TempFolder _folder = new("sft");

    public ModelConfigAuthorityTests()
    {
        CheckpointFolder.Copy("fs2", _folder["checkpoints/step_10"]);
        CheckpointFolder.Copy("tp2-llama3", _folder["checkpoints/step_5"]);
        WriteConfig(Tiny);
        _session["run"] = _folder.Path;
        _session["out"] = _folder["out"];
        _session["tiny"] = TinyModel.Architecture;
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("$run")]
    [InlineData("$run/checkpoints")]
    [InlineData("$run/checkpoints/step_10")]
    [InlineData("$run/checkpoints/step_10/model.pt")]
    public void The_file_decides_where_nobody_is_named(string path)
    {
        var exported = _session.RunOne<LlamaReferenceCheckpoint>($"Read-Fairseq2Checkpoint {path} | Export-LlamaReferenceCheckpoint $out");

        Assert.Equal(12345, exported.Architecture.RopeTheta);
        Assert.Contains("\"rope_theta\": 12345.0", File.ReadAllText(_folder["out/params.json"]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_in_no_run_has_it_beside_itself()
    {
        File.Copy(_folder["checkpoints/model.yaml"], Path.Combine(CheckpointFolder.Copy("fs2", _folder["copied"]), "model.yaml"));

        Assert.Equal("copied", _session.RunOne<LlamaArchitecture>("(Read-Fairseq2Checkpoint $run/copied).Architecture").Name);
    }

    [Fact]
    public void The_user_decides_against_the_file()
    {
        var exported = _session.RunOne<LlamaReferenceCheckpoint>("Read-Fairseq2Checkpoint $run | Export-LlamaReferenceCheckpoint $out -Architecture $tiny");

        Assert.Equal(10000, exported.Architecture.RopeTheta);
    }

    [Fact]
    public void A_test_tells_that_user_and_file_disagree()
    {
        var result = _session.RunOne<CheckpointTestResult>("Read-Fairseq2Checkpoint $run | Test-LlamaCheckpoint -Architecture $tiny");

        var finding = Assert.Single(result.Findings);
        Assert.Equal((FindingSeverity.Warning, CheckpointErrorCode.ArchitectureMismatch), (finding.Severity, finding.Code));
        Assert.Equal(_folder["checkpoints/model.yaml"], finding.File);
        Assert.True(result.Passed);
    }

    [Fact]
    public void Shapes_that_contradict_the_file_are_an_error_that_names_it()
    {
        WriteConfig(Tiny.Replace("vocab_size: 40", "vocab_size: 41", StringComparison.Ordinal));

        _session.RunForError(
            CheckpointErrorCode.ArchitectureMismatch,
            "Read-Fairseq2Checkpoint $run | Export-LlamaReferenceCheckpoint $out",
            "VocabSize is 41 in the architecture and 40 in the weights",
            $"according to '{_folder["checkpoints/model.yaml"]}'");
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void A_file_that_can_not_be_used_stands_in_the_way_only_where_nobody_is_named()
    {
        WriteConfig("model_dim: [");

        _session.RunForError(
            CheckpointErrorCode.CheckpointCorrupt, "Read-Fairseq2Checkpoint $run | Export-LlamaReferenceCheckpoint $out", "model.yaml", "-Architecture");
        Assert.Equal("tiny", _session.RunOne<LlamaReferenceCheckpoint>("Read-Fairseq2Checkpoint $run | Export-LlamaReferenceCheckpoint $out -Architecture $tiny").Architecture.Name);

        var results = _session.Run<CheckpointTestResult>(
            "Read-Fairseq2Checkpoint $run | Test-LlamaCheckpoint; Read-Fairseq2Checkpoint $run | Test-LlamaCheckpoint -Architecture $tiny");

        Assert.Equal([FindingSeverity.Error, FindingSeverity.Warning], results.Select(result => Assert.Single(result.Findings).Severity));
        Assert.Equal([false, true], results.Select(result => result.Passed));
    }

    [Fact]
    public void The_number_of_shards_in_it_shows_that_the_last_are_missing()
    {
        WriteConfig(Tiny + "\nnum_shards: 4\n");

        _session.RunForError(CheckpointErrorCode.MissingShard, "Read-Fairseq2Checkpoint $run -Step 5", "holds 2 tensor-parallel shards, but should have 4");
        Assert.Equal(10, _session.RunOne<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint $run").Step);
    }

    [Fact]
    public void A_slip_in_the_file_is_told_by_export_and_test()
    {
        WriteConfig(Tiny.Replace("rope_theta", "rope_thetta", StringComparison.Ordinal));

        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $run | Export-LlamaReferenceCheckpoint $out -WarningAction Continue; Test-LlamaCheckpoint $run");

        Assert.Contains("'rope_thetta'", Assert.Single(outcome.Warnings), StringComparison.Ordinal);
        var finding = Assert.Single(Assert.IsType<CheckpointTestResult>(outcome.Output[^1].BaseObject).Findings);
        Assert.Equal((FindingSeverity.Warning, _folder["checkpoints/model.yaml"]), (finding.Severity, finding.File));
    }

    [Fact]
    public void An_export_says_who_decided()
    {
        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $run | Export-LlamaReferenceCheckpoint $out -Verbose");

        Assert.Contains(outcome.Verbose, line => line.EndsWith($", according to '{_folder["checkpoints/model.yaml"]}'.", StringComparison.Ordinal));
    }

    private void WriteConfig(string yaml) => File.WriteAllText(_folder["checkpoints/model.yaml"], yaml);
}
