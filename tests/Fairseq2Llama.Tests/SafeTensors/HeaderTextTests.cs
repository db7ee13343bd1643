using System.Text;
using Fairseq2Llama.SafeTensors;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.SafeTensors;

public class HeaderTextTests
{
    private const int MaxLength = 100_000_000;

    private static readonly Dictionary<string, (byte[] File, string What)> Foreign = new()
    {
        ["nothing"] = ([], "is empty"),
        ["less than a length"] = (new byte[7], "only 7 bytes"),
        ["a length alone"] = (SafeTensorsBuilder.Build(2, [], []), "only 8 bytes"),
        ["a header of no length"] = (SafeTensorsBuilder.Build("", "{}"u8), "begins with 0 as the length"),
        ["a header longer than any"] = (SafeTensorsBuilder.Build(MaxLength + 1, "{}"u8, []), "begins with 100000001 as the length"),
        ["a header beyond 63 bits"] = (SafeTensorsBuilder.Build(ulong.MaxValue, "{}"u8, []), "begins with 18446744073709551615 as the length"),
        ["a list for a header"] = (SafeTensorsBuilder.Build("[]"), "byte 0x5b"),
        ["a space before the header"] = (SafeTensorsBuilder.Build(" {}"), "byte 0x20"),
        ["a byte order mark"] = (SafeTensorsBuilder.Build("\ufeff{}"), "byte 0xef"),
        ["a zip archive"] = (ZipBuilder.EmptyDict().Build(), "as the length of its header"),
        ["text"] = (Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\n"), "as the length of its header"),
    };

    public static TheoryData<string> ForeignKinds => [.. Foreign.Keys];

    [Theory]
    [MemberData(nameof(ForeignKinds))]
    public void Does_not_recognize(string what) => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointUnrecognized, () => Open(Foreign[what].File), Foreign[what].What, "memory.pt", "Expected a safetensors file");

    [Fact]
    public void A_file_cut_off_anywhere_is_refused()
    {
        var whole = File.ReadAllBytes(Repository.Data("safetensors/metadata.safetensors"));

        for (var length = 0; length < whole.Length; length++)
        {
            var code = length <= 8 ? CheckpointErrorCode.CheckpointUnrecognized : CheckpointErrorCode.CheckpointCorrupt;
            ErrorAssert.Throws(code, () => Open(whole[..length]), "memory.pt", length == 0 ? "is empty" : length <= 8 ? Quantity.Of(length, "byte") : "cut off");
        }
    }

    [Fact]
    public void Takes_no_memory_for_a_header_that_is_not_there()
    {
        var file = SafeTensorsBuilder.Build(MaxLength, "{}"u8, []);
        var before = GC.GetAllocatedBytesForCurrentThread();

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Open(file), "should be 100000000 bytes", "has 2 for it");

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    private static SafeTensorsFile Open(byte[] file) => SafeTensorsFile.Open(new MemorySource(file));
}
