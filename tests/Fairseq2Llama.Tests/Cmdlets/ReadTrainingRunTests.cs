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
    [InlineData("$run", 1000)]
    [InlineData("$run/checkpoints", 1000)]
    [InlineData("$run/checkpoints -Step 500", 500)]
    [InlineData("$run -Step 90", 90)]
    [InlineData("$run/checkpoints/step_500", 500)]
    [InlineData("$run/checkpoints/step_500/model.pt", 500)]
    public void Gives_the_newest_step_or_the_one_that_is_asked_for(string arguments, int step)
    {
        // As text, 90 and 500 would come after 1000.
        AddStep("step_90");
        AddStep("step_1000");
        AddStep("step_500");

        var checkpoint = _session.RunOne<Fairseq2Checkpoint>($"Read-Fairseq2Checkpoint {arguments}");

        Assert.Equal((step, $"sft@{step}"), (checkpoint.Step, checkpoint.Name));
        Assert.Contains($"step_{step}", checkpoint.Path, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-Step 1000, 90", 90, 1000)]
    [InlineData("-Step 500, 500, 5*", 500)]
    [InlineData("-Step ?0?0, 90", 90, 1000)]
    [InlineData("-Step [1-5]*0", 500, 1000)]
    [InlineData("-Step 0090", 90)]
    [InlineData("-Step (1000L, 90.0)", 90, 1000)]
    [InlineData("-Step *", 90, 500, 1000)]
    [InlineData("-AllSteps", 90, 500, 1000)]
    [InlineData("-AllSteps:$false", 1000)]
    public void Gives_all_steps_that_are_asked_for_in_ascending_order(string arguments, params int[] steps)
    {
        AddStep("step_90");
        AddStep("step_1000");
        AddStep("step_500");
        AddStep("step_2000.tmp");
        Directory.CreateDirectory(_run["checkpoints/step_1500"]);

        var checkpoints = _session.Run<Fairseq2Checkpoint>($"Read-Fairseq2Checkpoint $run {arguments}");

        Assert.Equal(steps.Select(step => ((long?)step, $"sft@{step}", _run[$"checkpoints/step_{step}"])), checkpoints.Select(read => (read.Step, read.Name, read.Path)));
    }

    [Fact]
    public void Gives_the_other_steps_where_some_are_not_there_or_damaged()
    {
        AddStep("step_500");
        AddStep("step_600");
        AddStep("step_1000");
        File.WriteAllText(_run["checkpoints/step_600/model.pt"], "damaged");

        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $run -Step 1000, 42, 7*, [56]*");

        Assert.Equal(["sft@500", "sft@1000"], outcome.Names);
        Assert.Equal(3, outcome.Errors.Count);
        ErrorAssert.Is(CheckpointErrorCode.CheckpointNotFound, outcome.Errors[0], "no finished step 42. Finished steps: 500, 600, 1000");
        ErrorAssert.Is(CheckpointErrorCode.CheckpointNotFound, outcome.Errors[1], "no finished step that matches '7*'. Finished steps: 500, 600, 1000");
        ErrorAssert.Is(CheckpointErrorCode.CheckpointUnrecognized, outcome.Errors[2], "step_600");
    }

    [Theory]
    [InlineData("newest")]
    [InlineData("step_5*")]
    [InlineData("-5")]
    [InlineData("5e2")]
    [InlineData("500.5")]
    [InlineData("99999999999999999999")]
    [InlineData("'[5-1]'")]
    [InlineData("'[5'")]
    [InlineData("500, ''")]
    [InlineData("$null")]
    [InlineData("@()")]
    [InlineData("'٥*'")]
    public void Refuses_what_is_neither_a_number_nor_a_wildcard(string argument)
    {
        AddStep("step_500");

        var error = _session.RunForTerminatingError($"Read-Fairseq2Checkpoint $run -Step {argument}");

        Assert.StartsWith("ParameterArgumentValidationError", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("'Step'", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_to_be_told_twice_which_steps()
    {
        AddStep("step_500");

        var error = _session.RunForTerminatingError("Read-Fairseq2Checkpoint $run -Step 500 -AllSteps");

        Assert.Equal("AmbiguousParameterSet,Fairseq2Llama.Cmdlets.ReadFairseq2CheckpointCommand", error.FullyQualifiedErrorId);
        Assert.Contains("-Step or -AllSteps", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Says_once_what_is_passed_over_however_many_steps_are_read()
    {
        AddStep("step_500");
        AddStep("step_1000");
        AddStep("step_2000.tmp");
        AddUnfinishedStep("step_1500");

        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $run -Step *, 5* -Verbose");

        Assert.Equal(["sft@500", "sft@1000"], outcome.Names);
        Assert.Single(outcome.Verbose, line => line.Contains("step_2000.tmp' is skipped", StringComparison.Ordinal));
        Assert.Contains("step_1500' is skipped: it is not finished, or files are missing", Assert.Single(outcome.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-AllSteps")]
    [InlineData("-Step 5, *")]
    public void Refuses_steps_of_what_is_no_run_with_one_error(string arguments)
    {
        _session["case"] = Repository.Case("fs2");

        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, $"Read-Fairseq2Checkpoint $case {arguments}", "is not a training run");
        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, $"Read-Fairseq2Checkpoint -LiteralPath nowhere {arguments}", "nowhere");
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
        Assert.Contains(outcome.Verbose, line => line.Contains("step_2000.tmp' is skipped: it is not finished", StringComparison.Ordinal));
        Assert.Contains(outcome.Verbose, line => line.Contains("step_1500' is skipped: it contains no model", StringComparison.Ordinal));
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

        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, "Read-Fairseq2Checkpoint $run -Step 1500", "no finished step 1500. Finished steps: 500, 1000");
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
        Assert.Contains(outcome.Verbose, line => line.Contains("step_1000' is skipped: it contains no model", StringComparison.Ordinal));
    }

    /// <summary>As on S3, which can't rename.</summary>
    [Fact]
    public void Passes_over_a_step_that_is_being_saved_under_its_final_name_and_warns()
    {
        AddStep("step_500");
        AddUnfinishedStep("step_1000");

        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $run");

        Assert.Equal(500, Assert.IsType<Fairseq2Checkpoint>(Assert.Single(outcome.Output).BaseObject).Step);
        Assert.Contains("step_1000' is skipped: it is not finished, or files are missing: 'model/pp_00/tp_00/sdp_00.pt' is missing", Assert.Single(outcome.Warnings), StringComparison.Ordinal);
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
