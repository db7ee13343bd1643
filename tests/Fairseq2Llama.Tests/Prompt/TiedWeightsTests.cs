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

    [Fact]
    public void Count_twice_where_training_may_part_them() =>
        Assert.Equal(_session.RunOne<long>("(New-LlamaArchitecture apart -BasedOn $tied -TiedEmbeddings:$false).Parameters"), _session.RunOne<long>("(Read-LlamaCheckpoint $data/fs2).Elements"));
}
