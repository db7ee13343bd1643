using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Prompt;

/// <summary>What Tab offers where it has to look at a checkpoint for that.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Session _session = new();

    public CompletionTests()
    {
        foreach (var step in new[] { "step_500", "step_1000", "step_2000.tmp" })
        {
            Directory.CreateDirectory(_folder[$"my [run]/checkpoints/{step}"]);
            File.Copy(Repository.Case("fs2") + "/model.pt", _folder[$"my [run]/checkpoints/{step}/model.pt"]);
        }

        Directory.CreateDirectory(_folder["my [run]/checkpoints/step_1500"]);
        _session.Location = _folder.Path;
        _session["fs2"] = _session.Run($"Read-Fairseq2Checkpoint '{Repository.Case("fs2")}'")[0];
        _session["path"] = Repository.Case("fs2");
        _session["ran"] = _folder["ran"];
        _session.Run("function global:Set-Ran { [IO.File]::WriteAllText($ran, '') }");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("$fs2 | Get-CheckpointTensor decoder.layers.1.ffn_", "decoder.layers.1.ffn_layer_norm.weight")]
    [InlineData("$fs2 | Get-CheckpointTensor -Name *.0.*k_proj", "decoder.layers.0.self_attn.k_proj.weight")]
    [InlineData("Get-CheckpointTensor -Checkpoint $fs2 -Name 'decoder_f", "decoder_frontend.embed.weight")]
    [InlineData("$fs2 | Get-CheckpointTensor final_proj.weight, decoder_f", "decoder_frontend.embed.weight")]
    [InlineData("$fs2 | Get-CheckpointTensor -Exclude final_proj.weight, decoder_f", "decoder_frontend.embed.weight")]
    [InlineData("$fs2 | Get-CheckpointTensor -Layer ", "0", "1")]
    [InlineData("Read-Fairseq2Checkpoint $path | Get-CheckpointTensor final", "final_proj.weight")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath 'my [run]' -Step 500 | Get-CheckpointTensor final", "final_proj.weight")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath 'my [run]' -Step 5*, 1000 | Get-CheckpointTensor final", "final_proj.weight")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath 'my [run]' -AllSteps | Get-CheckpointTensor final", "final_proj.weight")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath 'my [run]' -AllSteps:$true | Get-CheckpointTensor final", "final_proj.weight")]
    [InlineData("Read-Fairseq2Checkpoint -AllSteps | Get-CheckpointTensor final")]
    [InlineData("$fs2 | Get-CheckpointTensor decoder.layers.?.ffn_l", "decoder.layers.0.ffn_layer_norm.weight", "decoder.layers.1.ffn_layer_norm.weight")]
    [InlineData("$held.Checkpoint | Get-CheckpointTensor final", "final_proj.weight")]
    [InlineData("$custom.Checkpoint | Get-CheckpointTensor final", "final_proj.weight")]
    [InlineData("$global:fs2 | Get-CheckpointTensor final", "final_proj.weight")]
    [InlineData("$list[-1] | Get-CheckpointTensor final", "final_proj.weight")]
    [InlineData("(Read-Fairseq2Checkpoint $path) | Get-CheckpointTensor final", "final_proj.weight")]
    [InlineData("rfc $path | Get-CheckpointTensor final", "final_proj.weight")]
    [InlineData("Fairseq2Llama\\Read-Fairseq2Checkpoint $path | Get-CheckpointTensor final", "final_proj.weight")]
    [InlineData("Read-Fairseq2Checkpoint nowhere | Get-CheckpointTensor final")]
    [InlineData("Read-Fairseq2Checkpoint nowhere -ErrorAction Stop | Get-CheckpointTensor final")]
    [InlineData("Read-Fairseq2Checkpoint | Get-CheckpointTensor final")]
    [InlineData("$nothing | Get-CheckpointTensor final")]
    [InlineData("Get-CheckpointTensor $path final", "final_proj.weight")]
    [InlineData("Get-CheckpointTensor $fs2 final", "final_proj.weight")]
    [InlineData("Get-CheckpointTensor 'my [run]' final", "final_proj.weight")]
    [InlineData("Get-CheckpointTensor my* -Layer ", "0", "1")]
    [InlineData("Get-CheckpointTensor nowhere, my* -Name final", "final_proj.weight")]
    [InlineData("Get-CheckpointTensor nowhere final")]
    [InlineData("Get-CheckpointTensor (Set-Ran) final")]
    public void Completes_names_and_layers_of_the_piped_checkpoint(string line, params string[] completions)
    {
        _session.Run(
            "$global:held = @{ Checkpoint = $fs2 }; $global:custom = [pscustomobject]@{ Checkpoint = $fs2 }; $global:list = 1, $fs2;"
            + " $alias:rfc = 'Read-Fairseq2Checkpoint'; $Error.Clear()");

        Assert.Equal(completions, _session.Complete(line).Where(IsNoFile));
        Assert.Empty(_session.Run("$Error"));
    }

    /// <summary>What somebody has just done wrong is what they look for.</summary>
    [Fact]
    public void Leaves_the_errors_that_are_there()
    {
        _session.Run("$Error.Clear(); try { throw 'mine' } catch { }");
        var before = _session.Run("$Error | ForEach-Object ToString");

        _session.Complete("Read-Fairseq2Checkpoint nowhere | Get-CheckpointTensor final");
        _session.Complete("Read-Fairseq2Checkpoint nodrive:/run -Step ");

        Assert.Single(before);
        Assert.Equal(before, _session.Run("$Error | ForEach-Object ToString"));
    }

    [Fact]
    public void Runs_no_function_that_has_the_name_of_a_reader_and_no_getter()
    {
        _session.Run(
            "function global:Read-Fairseq2Checkpoint { Set-Ran }; $global:trap = [pscustomobject]@{};"
            + " $trap.PSObject.Properties.Add([psscriptproperty]::new('Checkpoint', { Set-Ran }))");

        _session.Complete("Read-Fairseq2Checkpoint nowhere | Get-CheckpointTensor final");
        _session.Complete("$trap.Checkpoint | Get-CheckpointTensor final");

        Assert.False(File.Exists(_folder["ran"]));
    }

    /// <summary>What it would ask for without a path, nobody could answer while typing.</summary>
    [Fact]
    public void Asks_nothing()
    {
        _session.Complete("Read-Fairseq2Checkpoint | Get-CheckpointTensor final");
        _session.Complete("Read-Fairseq2Checkpoint nowhere -ErrorAction Inquire | Get-CheckpointTensor final");

        Assert.Empty(_session.Host.Questions);
    }

    [Fact]
    public void Runs_nothing_else_for_that()
    {
        _session.Complete("Set-Ran | Get-CheckpointTensor final");
        _session.Complete("Read-Fairseq2Checkpoint (Set-Ran) | Get-CheckpointTensor final");
        _session.Complete("Read-Fairseq2Checkpoint $(Set-Ran) | Get-CheckpointTensor final");
        _session.Complete("Read-Fairseq2Checkpoint \"$(Set-Ran)\" | Get-CheckpointTensor final");
        _session.Complete("Read-Fairseq2Checkpoint nowhere -AllSteps:(Set-Ran) | Get-CheckpointTensor final");
        _session.Complete("Read-Fairseq2Checkpoint nowhere -Step (Set-Ran) | Get-CheckpointTensor final");
        _session.Complete("Read-Fairseq2Checkpoint nowhere 2> ran | Get-CheckpointTensor final");

        Assert.False(File.Exists(_folder["ran"]));
    }

    [Theory]
    [InlineData("Read-LlamaCheckpoint 'my [run]' -Step ", "1000", "500")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath 'my [run]' -Step ", "1000", "500")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath 'my [run]' -Step 5", "500")]
    [InlineData("Read-Fairseq2Checkpoint my* -Step 1", "1000")]
    [InlineData("Read-Fairseq2Checkpoint my* -Step 500, ", "1000", "500")]
    [InlineData("Read-Fairseq2Checkpoint my* -Step 500, 1", "1000")]
    [InlineData("Test-Fairseq2Checkpoint my* -Step 1", "1000")]
    [InlineData("Read-Fairseq2Checkpoint -LiteralPath nowhere -Step 1")]
    public void Completes_the_finished_steps_of_a_run_newest_first(string line, params string[] completions) =>
        Assert.Equal(completions, _session.Complete(line).Where(IsNoFile));

    /// <summary>Where we offer nothing, PowerShell offers files.</summary>
    private static bool IsNoFile(string completion) => !completion.StartsWith("./", StringComparison.Ordinal) && !completion.StartsWith("& ", StringComparison.Ordinal);
}
