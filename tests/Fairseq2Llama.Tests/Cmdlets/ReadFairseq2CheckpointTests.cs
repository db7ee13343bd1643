using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

public sealed class ReadFairseq2CheckpointTests : IDisposable
{
    private readonly Session _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Reads_a_folder_by_its_path()
    {
        _session["path"] = Repository.Case("fs2");

        var checkpoint = _session.RunOne<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint $path");

        Assert.Equal("fs2", checkpoint.Name);
        Assert.Equal(21, checkpoint.Tensors.Length);
    }

    [Fact]
    public void Reports_a_path_that_does_not_exist()
    {
        var error = _session.RunForError("Read-Fairseq2Checkpoint ./no-such-thing");

        Assert.StartsWith("CheckpointNotFound,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
    }
}
