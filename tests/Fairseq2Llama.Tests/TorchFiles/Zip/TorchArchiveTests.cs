using Fairseq2Llama.Stores.Local;
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
    [InlineData("archive/")]
    [InlineData("archive with spaces/")]
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

    /// <summary>PyTorch takes the root from the first record: what stands before its first slash.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("a/b/c/")]
    public void Refuses_a_pickle_that_is_not_in_the_root(string root)
    {
        var zip = ZipBuilder.TorchSave(root, Pickle, ("0", [1, 2, 3]));

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => TorchFile.Open(new MemorySource(zip.Build())), $"'{root}data.pkl'", "one folder");
    }

    [Fact]
    public void Takes_the_root_from_the_first_record()
    {
        var zip = new ZipBuilder().Add("other/byteorder", "little"u8).Add("model/data.pkl", Pickle).Add("model/data/0", [1, 2, 3]).Add("model/version", "3\n"u8);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => TorchFile.Open(new MemorySource(zip.Build())), "'other/byteorder'", "one folder");
    }

    [Theory]
    [InlineData("1")]
    [InlineData("3\n")]
    [InlineData("10\n")]
    public void Takes_every_version_that_PyTorch_reads(string version) => Assert.NotNull(OpenVersion(version).Content);

    [Theory]
    [InlineData("0\n", CheckpointErrorCode.CheckpointUnrecognized)]
    [InlineData("11\n", CheckpointErrorCode.CheckpointUnrecognized)]
    [InlineData("", CheckpointErrorCode.CheckpointCorrupt)]
    [InlineData("three\n", CheckpointErrorCode.CheckpointCorrupt)]
    [InlineData("-3\n", CheckpointErrorCode.CheckpointCorrupt)]
    [InlineData("99999999999999999999\n", CheckpointErrorCode.CheckpointCorrupt)]
    [InlineData("3 and much, much more than that\n", CheckpointErrorCode.CheckpointCorrupt)]
    public void Refuses_a_version_that_PyTorch_does_not_read(string version, CheckpointErrorCode code) =>
        ErrorAssert.Throws(code, () => OpenVersion(version), "version");

    [Fact]
    public void A_version_beside_the_data_goes_first()
    {
        var zip = ZipBuilder.TorchSave(Pickle, ("0", [1, 2, 3])).Add("model/.data/version", "11\n"u8);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => TorchFile.Open(new MemorySource(zip.Build())), "version 11");
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

    [External]
    [Fact]
    public void Refuses_what_PyTorch_refuses()
    {
        static PickleBuilder New() => new PickleBuilder().OpWith(Opcode.Proto, 2);

        static byte[] Saved(PickleBuilder pickle) => ZipBuilder.TorchSave(pickle.Stop()).Build();

        static byte[] Versioned(string version) =>
            new ZipBuilder().Add("model/data.pkl", New().Op(Opcode.EmptyDict).Stop()).Add("model/version", System.Text.Encoding.ASCII.GetBytes(version)).Build();

        var archives = new Dictionary<string, byte[]>
        {
            ["sound"] = ZipBuilder.EmptyDict().Build(),
            ["version 0"] = Versioned("0\n"),
            ["version 1"] = Versioned("1\n"),
            ["version 10"] = Versioned("10\n"),
            ["version 11"] = Versioned("11\n"),
            ["version of words"] = Versioned("three\n"),
            ["no root"] = ZipBuilder.TorchSave("", New().Op(Opcode.EmptyDict).Stop()).Build(),
            ["a deeper root"] = ZipBuilder.TorchSave("a/b/", New().Op(Opcode.EmptyDict).Stop()).Build(),
            ["OrderedDict"] = Saved(New().Global("collections", "OrderedDict").Op(Opcode.EmptyTuple, Opcode.Reduce)),
            ["OrderedDict of None"] = Saved(New().Global("collections", "OrderedDict").Op(Opcode.None, Opcode.Tuple1, Opcode.Reduce)),
            ["OrderedDict of two"] = Saved(New().Global("collections", "OrderedDict").Op(Opcode.EmptyList, Opcode.EmptyList, Opcode.Tuple2, Opcode.Reduce)),
            ["items of a set"] = Saved(New().Op(Opcode.EmptySet, Opcode.Mark, Opcode.None, Opcode.AddItems)),
            ["items of a list"] = Saved(New().Op(Opcode.EmptyList, Opcode.Mark, Opcode.None, Opcode.AddItems)),
            ["appended to a set"] = Saved(New().Op(Opcode.EmptySet, Opcode.Mark, Opcode.None, Opcode.Appends)),
        };

        using var folder = new TempFolder();

        foreach (var (name, bytes) in archives)
        {
            File.WriteAllBytes(folder[name], bytes);
        }

        var loaded = PyTorch.Ask(
            """
            import os, sys, torch
            for name in sorted(os.listdir(sys.argv[1])):
                try:
                    torch.load(os.path.join(sys.argv[1], name))
                    print(name)
                except Exception:
                    pass
            """,
            folder.Path);

        Assert.Equal(loaded.Split('\n'), archives.Keys.Where(name => Opens(folder[name])).Order(StringComparer.Ordinal));

        static bool Opens(string path)
        {
            try
            {
                TorchFile.Open(new LocalFile(path));
                return true;
            }
            catch (CheckpointException)
            {
                return false;
            }
        }
    }

    private static TorchFile OpenVersion(string version)
    {
        var zip = new ZipBuilder().Add("model/data.pkl", Pickle).Add("model/data/0", [1, 2, 3]).Add("model/version", System.Text.Encoding.ASCII.GetBytes(version));
        return TorchFile.Open(new MemorySource(zip.Build()));
    }
}
