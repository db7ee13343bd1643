using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Zip;

public class TorchArchiveTests
{
    private static readonly byte[] Pickle = new PickleBuilder()
        .OpWith(Opcode.Proto, 2)
        .Tensor(storage => storage.Storage("ByteStorage", "0", 3), offset: 0, shape: [3], strides: [1])
        .Stop();

    [Theory]
    [InlineData("")]
    [InlineData("archive/")]
    [InlineData("a/b/c/")]
    [InlineData("mödel.00/")]
    public void Takes_any_root(string root)
    {
        var zip = ZipBuilder.TorchSave(root, Pickle, ("0", [1, 2, 3]));

        var file = TorchFile.Open(new MemorySource(zip.Build()));
        var tensor = file.GetTensor(Assert.IsType<PickledTensor>(file.Content));

        Assert.Equal($"{root}data/0", tensor.Storage.Record);
        Assert.Equal([1, 2, 3], TensorBytes.Of(tensor));
    }

    [Fact]
    public void Refuses_an_archive_with_two_pickles()
    {
        var zip = ZipBuilder.TorchSave(Pickle, ("0", [1, 2, 3])).Add("other/data.pkl", Pickle);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => TorchFile.Open(new MemorySource(zip.Build())), "2 records 'data.pkl'");
    }

    [Fact]
    public void Refuses_an_archive_without_the_version_that_PyTorch_requires()
    {
        var zip = new ZipBuilder().Add("model/data.pkl", Pickle);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => TorchFile.Open(new MemorySource(zip.Build())), "model/version");
    }

    [Fact]
    public void Takes_the_version_from_the_root_only()
    {
        var zip = new ZipBuilder().Add("model/data.pkl", Pickle).Add("version", "3\n"u8);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => TorchFile.Open(new MemorySource(zip.Build())), "model/version");
    }

    [Fact]
    public void Refuses_an_archive_that_lacks_a_storage()
    {
        var zip = ZipBuilder.TorchSave(Pickle, ("1", [1, 2, 3]));

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => TorchFile.Open(new MemorySource(zip.Build())), "model/data/0", "missing");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Refuses_a_storage_of_another_length_than_the_pickle_says(int length)
    {
        var zip = ZipBuilder.TorchSave(Pickle, ("0", new byte[length]));

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt, () => TorchFile.Open(new MemorySource(zip.Build())), "model/data/0", $"{length} bytes", "says 3");
    }

    [Theory]
    [InlineData("../data.pkl")]
    [InlineData("/etc/passwd")]
    [InlineData("..\\..\\secret")]
    [InlineData("")]
    public void A_storage_key_is_never_more_than_a_part_of_a_record_name(string key)
    {
        var pickle = new PickleBuilder()
            .OpWith(Opcode.Proto, 2)
            .Tensor(storage => storage.Storage("ByteStorage", key, 3), offset: 0, shape: [3], strides: [1])
            .Stop();

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt,
            () => TorchFile.Open(new MemorySource(ZipBuilder.TorchSave(pickle, ("0", [1, 2, 3])).Build())),
            $"'model/data/{key}'",
            "missing");
    }

    [Fact]
    public void Refuses_TorchScript_by_name()
    {
        var zip = ZipBuilder.TorchSave(Pickle, ("0", [1, 2, 3])).Add("model/constants.pkl", Pickle);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => TorchFile.Open(new MemorySource(zip.Build())), "TorchScript");
    }
}
