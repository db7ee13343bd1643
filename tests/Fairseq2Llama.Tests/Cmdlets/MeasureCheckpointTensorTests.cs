using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

public sealed class MeasureCheckpointTensorTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public MeasureCheckpointTensorTests()
    {
        _session["cases"] = Repository.Data("checkpoints");
        _session["folder"] = _folder.Path;
        _session.Run("$fs2 = Read-Fairseq2Checkpoint $cases/fs2");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Measures_the_tensors_that_come_down_the_pipeline()
    {
        var statistics = _session.Run<TensorStatistics>("$fs2 | Get-CheckpointTensor -Layer 1 | Measure-CheckpointTensor");

        var tensors = _session.Run<CheckpointTensor>("$fs2 | Get-CheckpointTensor -Layer 1");
        Assert.Equal(tensors.Select(tensor => (tensor.Name, tensor.ElementCount, (int?)1)), statistics.Select(item => (item.Name, item.Count, item.Layer)));
    }

    [Theory]
    [InlineData("$fs2 | Measure-CheckpointTensor")]
    [InlineData("Measure-CheckpointTensor $fs2")]
    [InlineData("Measure-CheckpointTensor $fs2.Tensors")]
    [InlineData("Measure-CheckpointTensor -Tensor ($fs2 | Get-CheckpointTensor)")]
    public void Measures_all_of_a_checkpoint(string script) =>
        Assert.Equal(_session.RunOne<Fairseq2Checkpoint>("$fs2").Tensors.Length, _session.Run<TensorStatistics>(script).Length);

    /// <summary>However a checkpoint is divided, it is the same model.</summary>
    [Theory]
    [InlineData("tp2-llama3")]
    [InlineData("tp2-llama2")]
    public void Measures_the_whole_of_a_sharded_tensor(string sharded)
    {
        _session.Run($"$whole = @{{}}; $fs2 | Measure-CheckpointTensor | ForEach-Object {{ $whole[$_.Name] = $_ }}");
        var different = _session.Run(
            $"Read-Fairseq2Checkpoint $cases/{sharded} | Measure-CheckpointTensor | Where-Object {{ $_.Count -ne $whole[$_.Name].Count -or $_.Min -ne $whole[$_.Name].Min -or $_.Max -ne $whole[$_.Name].Max }}");

        Assert.Empty(different);
    }

    [Fact]
    public void Counts_bins() =>
        Assert.All(_session.Run<TensorStatistics>("$fs2 | Measure-CheckpointTensor -Histogram 5"), item => Assert.Equal((5, item.Count), (item.Histogram.Length, item.Histogram.Sum(bin => bin.Count))));

    [Theory]
    [InlineData("0")]
    [InlineData("10001")]
    public void Refuses_a_number_of_bins_that_makes_no_sense(string count) =>
        Assert.IsType<ParameterBindingException>(_session.RunForError($"$fs2 | Measure-CheckpointTensor -Histogram {count}").Exception, exactMatch: false);

    [Fact]
    public void Reports_a_damaged_tensor_and_measures_the_others()
    {
        CheckpointFolder.Copy("fs2", _folder["damaged"]);
        CheckpointFolder.Damage(_folder["damaged"], "decoder.layers.0.ffn.gate_proj.weight");

        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $folder/damaged | Measure-CheckpointTensor");

        ErrorAssert.Is(CheckpointErrorCode.CheckpointCorrupt, Assert.Single(outcome.Errors), "damaged", "CRC-32");
        Assert.Equal(_session.RunOne<Fairseq2Checkpoint>("$fs2").Tensors.Length - 1, outcome.Output.Count);
    }

    [External]
    [Fact]
    public void Finds_NaN()
    {
        PyTorch.Ask(
            """
            import sys, torch
            state = torch.load(sys.argv[1])['model']
            state['decoder.layers.1.self_attn.q_proj.weight'][3, 4] = float('nan')
            state['final_proj.weight'][0] = float('-inf')
            torch.save({'model': state, 'model_key': 'model', 'fs2': True}, sys.argv[2])
            """,
            Path.Combine(Repository.Case("fs2"), "model.pt"),
            _folder["model.pt"]);

        var found = _session.Run<TensorStatistics>("Read-Fairseq2Checkpoint $folder | Measure-CheckpointTensor | Where-Object { $_.NaN -or $_.Inf }");

        Assert.Equal(
            [("decoder.layers.1.self_attn.q_proj.weight", 1, 0), ("final_proj.weight", 0, 16)], found.Select(item => (item.Name, (int)item.NaN, (int)item.Inf)));
    }
}
