using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

public sealed class ReadLlamaCheckpointTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public ReadLlamaCheckpointTests()
    {
        _session["cases"] = Repository.Data("checkpoints");
        _session["tiny"] = TinyModel.Architecture;
        _session.Location = _folder.Path;
        _session.Run("""
            Read-Fairseq2Checkpoint $cases/fs2 | Export-LlamaReferenceCheckpoint meta -Architecture $tiny
            Read-Fairseq2Checkpoint $cases/fs2 | Export-LlamaHuggingFaceCheckpoint hf -Architecture $tiny
            Read-Fairseq2Checkpoint $cases/fs2 | Export-Fairseq2Checkpoint 'fs [2]' -Architecture $tiny
            """);

        foreach (var step in new[] { 5, 10 })
        {
            CheckpointFolder.Copy("fs2", _folder[$"run/checkpoints/step_{step}"]);
        }
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("meta", CheckpointFormat.Reference, "meta")]
    [InlineData("hf", CheckpointFormat.HuggingFace, "hf")]
    [InlineData("-LiteralPath 'fs [2]'", CheckpointFormat.Fairseq2, "fs [2]")]
    [InlineData("-LiteralPath 'fs [2]/model.pt'", CheckpointFormat.Fairseq2, "fs [2]")]
    [InlineData("run", CheckpointFormat.Fairseq2, "run@10")]
    [InlineData("run/checkpoints/step_5", CheckpointFormat.Fairseq2, "run@5")]
    [InlineData("$cases/tp2-llama2", CheckpointFormat.Fairseq2, "tp2-llama2")]
    [InlineData("$cases/../huggingface/sharded", CheckpointFormat.HuggingFace, "sharded")]
    public void Finds_the_format(string path, CheckpointFormat format, string name)
    {
        var checkpoint = Assert.IsAssignableFrom<LlamaCheckpoint>(Assert.Single(_session.Run($"Read-LlamaCheckpoint {path}")).BaseObject);

        Assert.Equal((format, name), (checkpoint.Format, checkpoint.Name));
    }

    [Fact]
    public void Reads_what_all_three_commands_read()
    {
        Assert.Equal(
            ["fs [2]", "hf", "meta", "run@10"],
            _session.Run("Read-LlamaCheckpoint *").Select(item => ((LlamaCheckpoint)item.BaseObject).Name));
    }

    [Fact]
    public void Takes_the_step_of_a_run()
    {
        Assert.Equal(10, _session.RunOne<Fairseq2Checkpoint>("Read-LlamaCheckpoint run").Step);
        Assert.Equal(5, _session.RunOne<Fairseq2Checkpoint>("Read-LlamaCheckpoint run -Step 5").Step);
        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, "Read-LlamaCheckpoint hf -Step 5", "not a training run");
    }

    [Fact]
    public void Takes_several_steps_of_a_run()
    {
        var outcome = _session.RunOn("Read-LlamaCheckpoint run, hf -AllSteps");

        Assert.Equal(["run@5", "run@10"], outcome.Names);
        ErrorAssert.Is(CheckpointErrorCode.CheckpointUnrecognized, Assert.Single(outcome.Errors), _folder["hf"], "not a training run");
    }

    [Fact]
    public void Says_which_format_it_has_found() =>
        Assert.Contains("Meta's reference format", string.Join('\n', _session.Run("Read-LlamaCheckpoint meta -Verbose 4>&1").Select(item => item.ToString())), StringComparison.Ordinal);

    [Fact]
    public void Where_there_is_none_it_says_what_it_looked_for()
    {
        Directory.CreateDirectory(_folder["empty"]);

        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, "Read-LlamaCheckpoint empty", _folder["empty"], "model.pt", "consolidated.00.pth", "config.json");
        _session.RunForError(CheckpointErrorCode.CheckpointNotFound, "Read-LlamaCheckpoint nowhere", "nowhere");
    }

    /// <summary>One file of several says too little.</summary>
    [Theory]
    [InlineData("meta/consolidated.00.pth")]
    [InlineData("hf/model.safetensors")]
    [InlineData("hf/config.json")]
    public void A_file_of_a_folder_is_not_read_alone(string path) =>
        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, $"Read-LlamaCheckpoint {path}", "is a file", "Give the folder");

    [Fact]
    public void Tab_completes_steps()
    {
        _session["line"] = "Read-LlamaCheckpoint run -Step ";

        Assert.Equal(["10", "5"], _session.Run("(TabExpansion2 $line $line.Length).CompletionMatches.CompletionText").Select(item => item.ToString()));
    }
}
