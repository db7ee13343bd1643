using Fairseq2Llama.Reading;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Reading;

public class TensorDataTests
{
    [Fact]
    public void Inflates_into_a_temporary_folder_and_leaves_nothing_behind()
    {
        var checkpoint = Fairseq2Checkpoint.Read(Repository.Case("deflated"));
        string scratch;

        using (var data = new TensorData(checkpoint.Tensors, CancellationToken.None))
        {
            scratch = data.Scratch.Path;
            data.Copier.Copy(checkpoint.Tensors[0].ToStorage(), _ => { }, CancellationToken.None);
            Assert.NotEmpty(Directory.EnumerateFiles(scratch));
        }

        Assert.False(Directory.Exists(scratch));
    }

    [Fact]
    public void Makes_no_folder_where_nothing_is_deflated()
    {
        var checkpoint = Fairseq2Checkpoint.Read(Repository.Case("fs2"));
        using var data = new TensorData(checkpoint.Tensors, CancellationToken.None);

        data.Copier.Copy(checkpoint.Tensors[0].ToStorage(), _ => { }, CancellationToken.None);

        Assert.False(Directory.Exists(data.Scratch.Path));
    }
}
