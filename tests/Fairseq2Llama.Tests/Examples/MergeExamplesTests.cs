using Fairseq2Llama.Tests.Help;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Examples;

/// <summary>The examples that export weights which are in no file.</summary>
public sealed class MergeExamplesTests : IDisposable
{
    private readonly ExampleWorld _world = new();
    private readonly Session _session;

    public MergeExamplesTests()
    {
        _session = _world.Open();
        _session["examples"] = Path.Combine(Repository.Root, "examples");
    }

    public void Dispose()
    {
        _session.Dispose();
        _world.Dispose();
    }

    [Fact]
    public void The_last_steps_are_averaged()
    {
        _session.Run("Export-Fairseq2Checkpoint hf/other changed; [System.IO.File]::Copy((Resolve-Path changed/model.pt), (Resolve-Path runs/sft/checkpoints/step_1000/model.pt), $true)");

        Run("& $examples/Merge-LastStep.ps1 runs/sft out -Last 2");

        Assert.Contains(_session.Host.TakeLines(), line => line.StartsWith("The average of sft@500, sft@1000 has a relative distance of ", StringComparison.Ordinal));
        Assert.True(_session.RunOne<bool>(
            "(Compare-LlamaCheckpoint (Merge-LlamaCheckpoint runs/sft/checkpoints/step_500, runs/sft/checkpoints/step_1000) out -Summary).AreEqual"));
    }

    [Fact]
    public void More_steps_than_there_are_can_not_be_averaged() =>
        Assert.Contains("2 finished steps, not 5", _session.RunForError("& $examples/Merge-LastStep.ps1 runs/sft out").Exception.Message, StringComparison.Ordinal);

    [Fact]
    public void An_adapter_is_merged()
    {
        LibTorch.Require();

        Run("& $examples/Merge-LoraWeight.ps1 hf/base out -AdapterPath adapters/chat");

        Assert.Contains("1 of 21 tensors are merged; the others are the same, bit for bit.", _session.Host.TakeLines());
    }

    [Fact]
    public void The_LoRA_of_fairseq2_is_merged()
    {
        LibTorch.Require();

        Run("& $examples/Merge-LoraWeight.ps1 lora/7b out -Alpha 16");

        Assert.Contains("2 of 21 tensors are merged; the others are the same, bit for bit.", _session.Host.TakeLines());
    }

    [Fact]
    public void An_adapter_that_changes_nothing_is_an_error()
    {
        LibTorch.Require();
        _session.Run("[System.IO.File]::WriteAllText(\"$(Resolve-Path adapters/chat/adapter_config.json)\", '{\"peft_type\": \"LORA\", \"r\": 1, \"lora_alpha\": 0}')");

        Assert.Contains("output_proj", _session.RunForError("& $examples/Merge-LoraWeight.ps1 hf/base out -AdapterPath adapters/chat").Exception.Message, StringComparison.Ordinal);
    }

    private void Run(string script) => _session.RunOne<LlamaHuggingFaceCheckpoint>(script);
}
