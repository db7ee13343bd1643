using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Prompt;

/// <summary>Weights that a model has once count once, however they are saved.</summary>
public sealed class TiedWeightsTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public TiedWeightsTests()
    {
        _session["tied"] = TinyModel.Architecture with { TiedEmbeddings = true };
        _session["data"] = Repository.Data("checkpoints");
        _session.Location = _folder.Path;
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("Read-LlamaCheckpoint $data/tied")]
    [InlineData("Export-LlamaReferenceCheckpoint $data/tied out -Architecture $tied")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint $data/tied out -Architecture $tied")]
    [InlineData("Export-Fairseq2Checkpoint $data/tied out -Architecture $tied")]
    [InlineData("Read-LlamaCheckpoint $data/tied-absent")]
    [InlineData("Export-LlamaReferenceCheckpoint $data/tied-absent out -Architecture $tied")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint $data/tied-absent out -Architecture $tied")]
    [InlineData("Export-Fairseq2Checkpoint $data/tied-absent out -Architecture $tied")]
    public void Count_once_in_every_format(string script) =>
        Assert.Equal(_session.RunOne<long>("$tied.Parameters"), _session.RunOne<long>($"({script}).Elements"));

    /// <summary>model.yaml of fairseq2 0.4 has no word for it.</summary>
    [Fact]
    public void Count_once_in_the_architecture_that_a_file_tells_too()
    {
        CheckpointFolder.Copy("tied", _folder["run"]);
        File.WriteAllText(
            _folder["run/model.yaml"],
            "model_config: {_set_: {model_dim: 16, num_layers: 2, num_attn_heads: 4, num_key_value_heads: 2, ffn_inner_dim: 64, ffn_inner_dim_scale: 0.6666666666666666, ffn_inner_dim_to_multiple: 8, vocab_info: {size: 40}}}\n");

        Assert.Equal(_session.RunOne<long>("$tied.Parameters"), _session.RunOne<long>("(Read-LlamaCheckpoint run).Architecture.Parameters"));
    }

    [Fact]
    public void Count_twice_where_training_may_part_them() =>
        Assert.Equal(_session.RunOne<long>("(New-LlamaArchitecture apart -BasedOn $tied -TiedEmbeddings:$false).Parameters"), _session.RunOne<long>("(Read-LlamaCheckpoint $data/fs2).Elements"));
}
