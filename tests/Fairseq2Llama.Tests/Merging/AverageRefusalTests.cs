using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Merging;

/// <summary>What is no average is refused before anything is read or written, with the names of both checkpoints.</summary>
public sealed class AverageRefusalTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new("work");

    public AverageRefusalTests()
    {
        _session.Location = _folder.Path;
        ConverterModel.Half.Write(_folder["one"]);
        ConverterModel.Half.Write(_folder["two"]);
    }

    public void Dispose()
    {
        Assert.False(Directory.Exists(_folder["out"]));
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_single_checkpoint()
    {
        _session.RunForError(CheckpointErrorCode.MergeMismatch, "Merge-LlamaCheckpoint one | Export-Fairseq2Checkpoint out", "at least two", _folder["one"]);
        _session.RunForError(CheckpointErrorCode.MergeMismatch, "Read-LlamaCheckpoint one | Merge-LlamaCheckpoint | Export-Fairseq2Checkpoint out", "at least two", _folder["one"]);
    }

    /// <summary>The others by themselves would look like what was asked for.</summary>
    [Theory]
    [InlineData("one, missing, two")]
    [InlineData("missing, one, two")]
    public void One_that_can_t_be_read(string paths)
    {
        var outcome = _session.RunOn($"Merge-LlamaCheckpoint {paths}");

        Assert.Empty(outcome.Output);
        ErrorAssert.Is(CheckpointErrorCode.CheckpointNotFound, Assert.Single(outcome.Errors), "missing");
        Assert.Equal(["Nothing is averaged, because not all of the checkpoints could be read."], outcome.Warnings);
    }

    [Theory]
    [InlineData("1", "is 1 weight for 2 checkpoints")]
    [InlineData("1, 2, 3", "are 3 weights for 2 checkpoints")]
    [InlineData("1, -1", "must not be 0")]
    [InlineData("0, 0", "must not be 0")]
    [InlineData("1e-50, 1e-50", "must not be 0")]
    [InlineData("1, ([double]::NaN)", "finite")]
    [InlineData("1, ([double]::PositiveInfinity)", "finite")]
    [InlineData("1e39, 1", "finite")]
    [InlineData("3e38, 3e38", "finite")]
    public void Weights_of_no_average(string weights, string message) =>
        _session.RunForError(CheckpointErrorCode.MergeMismatch, $"Merge-LlamaCheckpoint one, two -Weight {weights} | Export-Fairseq2Checkpoint out", message);

    [Fact]
    public void Other_names()
    {
        (ConverterModel.Half with { Layers = 3 }).Write(_folder["deeper"]);

        _session.RunForError(
            CheckpointErrorCode.MergeMismatch, "Merge-LlamaCheckpoint one, deeper | Export-Fairseq2Checkpoint out", _folder["one"], _folder["deeper"], "'model.layers.2.self_attn.q_proj.weight' is only in");
        _session.RunForError(
            CheckpointErrorCode.MergeMismatch, "Merge-LlamaCheckpoint deeper, one | Export-Fairseq2Checkpoint out", _folder["one"], _folder["deeper"], "'model.layers.2.self_attn.q_proj.weight' is not in");
    }

    [Fact]
    public void Other_shapes()
    {
        (ConverterModel.Half with { Ffn = 96 }).Write(_folder["wider"]);

        _session.RunForError(
            CheckpointErrorCode.MergeMismatch, "Merge-LlamaCheckpoint one, two, wider | Export-Fairseq2Checkpoint out", _folder["one"], _folder["wider"], "'model.layers.0.mlp.gate_proj.weight'", "64x32", "96x32");
    }

    /// <summary>An output that is not tied is one more than the embeddings, and in a tied model it is these.</summary>
    [Fact]
    public void Nothing_where_only_one_has_an_output()
    {
        (ConverterModel.Half with { IsTied = true }).Write(_folder["tied"]);

        Assert.Contains("lm_head.weight", _session.RunOne<MergedCheckpoint>("Merge-LlamaCheckpoint tied, one").Tensors.Select(tensor => tensor.Name));
    }

    /// <summary>The file has every element type that PyTorch saves.</summary>
    [Fact]
    public void Types_that_are_not_computed_with()
    {
        File.Copy(Repository.Data("tensors/dtypes.pt"), _folder["types.pt"]);
        File.Copy(Repository.Data("tensors/dtypes.pt"), _folder["other.pt"]);

        var error = _session.RunForError(CheckpointErrorCode.UnsupportedTensor, "Merge-LlamaCheckpoint types.pt, other.pt", "float64", "int64", "bool", "'types", "'other");

        Assert.DoesNotContain("float32'", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Other_architectures_only_with_a_warning()
    {
        var config = _folder["two/config.json"];
        File.WriteAllText(config, File.ReadAllText(config).Replace("10000.0", "20000.0", StringComparison.Ordinal));

        var outcome = _session.RunOn("Merge-LlamaCheckpoint one, two");

        Assert.Empty(outcome.Errors);
        var warning = Assert.Single(outcome.Warnings);
        Assert.Contains(_folder["one"], warning, StringComparison.Ordinal);
        Assert.Contains(_folder["two"], warning, StringComparison.Ordinal);
    }

    [Fact]
    public void One_checkpoint_twice_only_with_a_warning()
    {
        var outcome = _session.RunOn("Merge-LlamaCheckpoint one, two, one");

        Assert.Empty(outcome.Errors);
        Assert.Contains($"'{_folder["one"]}' was given 2 times", Assert.Single(outcome.Warnings), StringComparison.Ordinal);
    }
}
