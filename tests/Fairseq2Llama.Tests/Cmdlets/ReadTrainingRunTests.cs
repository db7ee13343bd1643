using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Training runs with their steps.</summary>
public sealed class ReadTrainingRunTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _run = new("sft");

    public ReadTrainingRunTests() => _session["run"] = _run.Path;

    public void Dispose()
    {
        _session.Dispose();
        _run.Dispose();
    }

    [Theory]
    [InlineData("$run", 1000, "sft")]
    [InlineData("$run/checkpoints", 1000, "sft")]
    [InlineData("$run/checkpoints -Step 500", 500, "sft")]
    [InlineData("$run -Step 90", 90, "sft")]
    [InlineData("$run/checkpoints/step_500", 500, "step_500")]
    [InlineData("$run/checkpoints/step_500/model.pt", null, "step_500")]
    public void Gives_the_newest_step_or_the_one_that_is_asked_for(string arguments, int? step, string name)
    {
        // As text, 90 and 500 would come after 1000.
        AddStep("step_90");
        AddStep("step_1000");
        AddStep("step_500");

        var checkpoint = _session.RunOne<Fairseq2Checkpoint>($"Read-Fairseq2Checkpoint {arguments}");

        Assert.Equal((step, name), (checkpoint.Step, checkpoint.Name));
        Assert.Contains(step is null ? "model.pt" : $"step_{step}", checkpoint.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void Passes_over_what_is_not_finished_and_says_so()
    {
        AddStep("step_500");
        AddStep("step_2000.tmp");
        Directory.CreateDirectory(_run["checkpoints/step_1500/optimizer"]);
        File.WriteAllText(_run["checkpoints/step_1500/rank_0.pt"], "not a model");

        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $run -Verbose");

        Assert.Equal(500, Assert.IsType<Fairseq2Checkpoint>(Assert.Single(outcome.Output).BaseObject).Step);
        Assert.Contains(outcome.Verbose, line => line.Contains("step_2000.tmp' is passed over: it is not finished", StringComparison.Ordinal));
        Assert.Contains(outcome.Verbose, line => line.Contains("step_1500' is passed over: there is no model in it", StringComparison.Ordinal));
    }

    [Fact]
    public void Does_not_take_an_older_step_for_a_damaged_one()
    {
        AddStep("step_500");
        AddStep("step_1000");
        File.WriteAllBytes(_run["checkpoints/step_1000/model.pt"], File.ReadAllBytes(_run["checkpoints/step_500/model.pt"])[..2000]);

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, "Read-Fairseq2Checkpoint $run", "step_1000");
    }

    [Fact]
    public void Does_not_take_an_older_step_for_one_that_lacks_a_shard()
    {
        AddStep("step_500");
        CheckpointFolder.Copy("tp-gap", _run["checkpoints/step_1000"]);

        _session.RunForError(CheckpointErrorCode.MissingShard, "Read-Fairseq2Checkpoint $run", "step_1000", "model.1.pt");
    }

    [Fact]
    public void Names_the_steps_there_are_when_one_is_missing()
    {
        AddStep("step_500");
        AddStep("step_1000");
        AddStep("step_1500.tmp");

        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, "Read-Fairseq2Checkpoint $run -Step 1500", "no finished step 1500; it has 1000, 500");
    }

    [Fact]
    public void Says_when_no_step_is_finished()
    {
        AddStep("step_500.tmp");

        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, "Read-Fairseq2Checkpoint $run", "has no finished step.");
    }

    [Fact]
    public void Refuses_a_step_of_what_is_no_run()
    {
        _session["case"] = Repository.Case("fs2");

        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, "Read-Fairseq2Checkpoint $case -Step 3", "is not a training run");
    }

    [Fact]
    public void Passes_over_a_step_of_newer_versions_that_has_no_file_yet()
    {
        AddStep("step_500");
        Directory.CreateDirectory(_run["checkpoints/step_1000/model/pp_00/tp_00"]);

        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $run -Verbose");

        Assert.Equal(500, Assert.IsType<Fairseq2Checkpoint>(Assert.Single(outcome.Output).BaseObject).Step);
        Assert.Contains(outcome.Verbose, line => line.Contains("step_1000' is passed over: there is no model in it", StringComparison.Ordinal));
    }

    /// <summary>As on S3, which can't rename.</summary>
    [Fact]
    public void Passes_over_a_step_that_is_being_saved_under_its_final_name_and_warns()
    {
        AddStep("step_500");
        AddUnfinishedStep("step_1000");

        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $run");

        Assert.Equal(500, Assert.IsType<Fairseq2Checkpoint>(Assert.Single(outcome.Output).BaseObject).Step);
        Assert.Contains("step_1000' is passed over: it is not finished, or has lost files; 'model/pp_00/tp_00/sdp_00.pt' is missing", Assert.Single(outcome.Warnings), StringComparison.Ordinal);
        Assert.Equal([500], Fairseq2Checkpoint.FindSteps(_run.Path));

        var result = _session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $run -Architecture llama2_7b");
        Assert.Contains(result.Findings, finding => (finding.Severity, finding.Code) == (FindingSeverity.Warning, CheckpointErrorCode.MissingShard));

        _session.RunForError(CheckpointErrorCode.MissingShard, "Read-Fairseq2Checkpoint $run -Step 1000", "step_1000' is not finished", "sdp_00.pt' is missing");
    }

    [Fact]
    public void Says_what_the_only_step_lacks()
    {
        AddUnfinishedStep("step_1000");

        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, "Read-Fairseq2Checkpoint $run", "has no finished step.", "sdp_00.pt' is missing");
    }

    /// <summary>It was validated after it had been saved.</summary>
    [Fact]
    public void Does_not_take_an_older_step_for_one_with_a_score_that_has_lost_a_shard()
    {
        AddStep("step_500");
        AddUnfinishedStep("step_1000");
        Directory.CreateDirectory(_run["checkpoints/scores"]);
        File.WriteAllText(_run["checkpoints/scores/step_1000.txt"], "-1.5\n");

        _session.RunForError(CheckpointErrorCode.MissingShard, "Read-Fairseq2Checkpoint $run", "step_1000", "sdp_00.pt' is missing");
    }

    private void AddUnfinishedStep(string name)
    {
        var folder = Directory.CreateDirectory(_run[$"checkpoints/{name}/model/pp_00/tp_00"]).FullName;
        File.Copy(Path.Combine(Repository.Case("fs2"), "model.pt"), Path.Combine(folder, "sdp_01.pt"));
    }

    private void AddStep(string name) => CheckpointFolder.Copy("ddp", _run[Path.Combine("checkpoints", name)]);
}
