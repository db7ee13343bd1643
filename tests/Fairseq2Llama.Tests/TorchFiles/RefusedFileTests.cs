using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Tests.TorchFiles;

public class RefusedFileTests
{
    private const string TraceOfExecution = "fairseq2llama-was-here";

    public static TheoryData<string, CheckpointErrorCode, string> Refused => new()
    {
        { "evil-legacy.pt", CheckpointErrorCode.UnsafePickle, "'posix.system'" },
        { "evil-nested.pt", CheckpointErrorCode.UnsafePickle, "'posix.system'" },
        { "evil-plain.pkl", CheckpointErrorCode.UnsafePickle, "'posix.system'" },
        { "evil-reduce.pt", CheckpointErrorCode.UnsafePickle, "'posix.system'" },
        { "numpy.pt", CheckpointErrorCode.UnsafePickle, "'numpy.core.multiarray.scalar'" },
        { "whole-module.pt", CheckpointErrorCode.UnsafePickle, "'torch.nn.modules.linear.Linear'" },
        { "meta.pt", CheckpointErrorCode.UnsupportedTensor, "_rebuild_meta_tensor_no_storage" },
        { "qtensor.pt", CheckpointErrorCode.UnsupportedTensor, "_rebuild_qtensor" },
        { "sparse.pt", CheckpointErrorCode.UnsupportedTensor, "_rebuild_sparse_tensor" },
        { "empty.pt", CheckpointErrorCode.CheckpointUnrecognized, "is empty" },
        { "git-lfs-pointer.pt", CheckpointErrorCode.CheckpointUnrecognized, "Git LFS pointer" },
        { "gzip.pt", CheckpointErrorCode.CheckpointUnrecognized, "gzip" },
        { "safetensors-inside.pt", CheckpointErrorCode.CheckpointUnrecognized, "safetensors" },
        { "tar.pt", CheckpointErrorCode.CheckpointUnrecognized, "tar archive" },
        { "text.pt", CheckpointErrorCode.CheckpointUnrecognized, "plain text" },
        { "torchscript.pt", CheckpointErrorCode.CheckpointUnrecognized, "TorchScript" },
        { "zip-without-pickle.pt", CheckpointErrorCode.CheckpointUnrecognized, "without the record 'data.pkl'" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Is_refused_by_name(string name, CheckpointErrorCode code, string what)
    {
        var path = Repository.Data($"refused/{name}");

        var error = ErrorAssert.Throws(code, () => TorchFile.Open(new LocalFile(path)), what, path);

        Assert.Equal(path, error.Target);
    }

    [Fact]
    public void Nothing_in_the_folder_goes_without_a_test()
    {
        var tested = Refused.Select(row => row.Data.Item1);
        var files = Directory.EnumerateFiles(Repository.Data("refused")).Select(Path.GetFileName);

        Assert.Equal(files.Order(StringComparer.Ordinal), tested.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Nothing_is_executed()
    {
        string[] places = [Environment.CurrentDirectory, AppContext.BaseDirectory, Path.GetTempPath(), Repository.Root, Repository.Data("refused")];

        foreach (var (name, code, what) in Refused.Select(row => row.Data))
        {
            Is_refused_by_name(name, code, what);
        }

        Assert.DoesNotContain(places, place => File.Exists(Path.Combine(place, TraceOfExecution)));
    }

    [Theory]
    [InlineData(new byte[] { (byte)'G', (byte)'G', (byte)'U', (byte)'F', 3, 0, 0, 0 }, "GGUF")]
    [InlineData(new byte[] { 0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00 }, "Zstandard")]
    [InlineData(new byte[] { 0x7f, (byte)'E', (byte)'L', (byte)'F' }, "not a file written by torch.save")]
    [InlineData(new byte[] { 0x80, 6, (byte)'.' }, "not a file written by torch.save")]
    [InlineData(new byte[] { 0xc3, 0xa4, 0xc3 }, "plain text")]
    public void Tells_by_its_first_bytes_what_a_file_is(byte[] bytes, string what) =>
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => TorchFile.Open(new MemorySource(bytes)), what);

    [Theory]
    [InlineData("PK")]
    [InlineData("PK\u0003\u0004")]
    public void A_zip_archive_that_just_begins_is_damaged(string text) => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt, () => TorchFile.Open(new MemorySource(System.Text.Encoding.ASCII.GetBytes(text))), "cut off");

    [Fact]
    public void A_plain_pickle_is_not_a_checkpoint() => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointUnrecognized,
        () => TorchFile.Open(new MemorySource([0x80, 2, (byte)'}', (byte)'.'])),
        "plain pickle");
}
