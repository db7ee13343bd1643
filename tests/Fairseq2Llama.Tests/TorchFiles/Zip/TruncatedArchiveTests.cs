using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Tests.TorchFiles.Zip;

public class TruncatedArchiveTests
{
    [Fact]
    public void A_file_cut_off_anywhere_is_refused()
    {
        var whole = File.ReadAllBytes(Repository.Data("checkpoints/fs2/model.pt"));

        foreach (var length in InterestingLengths(whole.Length))
        {
            var error = Assert.Throws<CheckpointException>(() => TorchFile.Open(new MemorySource(whole[..length])));

            Assert.True(
                error.Code is CheckpointErrorCode.CheckpointCorrupt or CheckpointErrorCode.CheckpointUnrecognized,
                $"cut off after {length} of {whole.Length} bytes: {error.Code}: {error.Message}");
        }
    }

    [Fact]
    public void A_file_cut_off_in_its_data_is_said_to_be_cut_off()
    {
        var whole = File.ReadAllBytes(Repository.Data("checkpoints/fs2/model.pt"));

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt, () => TorchFile.Open(new MemorySource(whole[..(whole.Length / 2)])), "memory.pt", "cut off");
    }

    // Each byte of the first header and of what ends the archive, less of the directory, little of the data.
    private static IEnumerable<int> InterestingLengths(int whole) =>
        Enumerable.Range(0, whole).Where(length => length < 200 || length > whole - 200 || length % (length > whole - 3000 ? 7 : 97) == 0);
}
