using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Zip;

public class ZipDirectoryTests
{
    private static readonly Dictionary<string, Action<ZipBuilder>> Harmless = new()
    {
        ["nothing special"] = _ => { },
        ["an archive comment"] = zip => zip.Comment = "made by hand"u8.ToArray(),
        ["a comment of the greatest length"] = zip => zip.Comment = new byte[ushort.MaxValue],
        ["a comment with an end signature in it"] = zip => zip.Comment = "PK\u0005\u0006 and then some more text follows"u8.ToArray(),
        ["ZIP64 end records"] = zip => zip.End64 = new(),
        ["an end record that says all is in the ZIP64 one"] = zip =>
        {
            zip.End64 = new();
            zip.EntryCount = ushort.MaxValue;
            zip.DirectoryLength = zip.DirectoryOffset = uint.MaxValue;
        },
        ["sizes in a ZIP64 extra field"] = zip =>
        {
            var pickle = zip["model/data.pkl"];
            pickle.CentralExtra = [1, 0, 16, 0, .. BitConverter.GetBytes((long)pickle.Length), .. BitConverter.GetBytes((long)pickle.Length)];
            pickle.Length = uint.MaxValue;
            pickle.StoredLength = uint.MaxValue;
        },
        ["a ZIP64 extra field after another one"] = zip =>
        {
            var pickle = zip["model/data.pkl"];
            pickle.CentralExtra = [0x55, 0x54, 1, 0, 9, 1, 0, 8, 0, .. BitConverter.GetBytes(0L)];
            pickle.HeaderOffset = uint.MaxValue;
        },
        ["deflated records"] = zip =>
        {
            zip["model/data.pkl"].Deflate();
            zip["model/version"].Deflate();
        },
        ["a record that has nothing to do with it"] = zip => zip.Add("model/.data/serialization_id", "123"u8),
        ["a byte order"] = zip => zip.Add("model/byteorder", "little"u8),
    };

    private static readonly Dictionary<string, Action<ZipBuilder>> Damaged = new()
    {
        ["too few entries counted"] = zip => zip.EntryCount = 1,
        ["too many entries counted"] = zip => zip.EntryCount = 3,
        ["a directory that starts too early"] = zip => zip.DirectoryOffset = 0,
        ["a directory that starts beyond the end"] = zip => zip.DirectoryOffset = 1 << 20,
        ["a directory offset of 32 ones without ZIP64 records"] = zip => zip.DirectoryOffset = uint.MaxValue,
        ["a directory that ends beyond the end"] = zip => zip.DirectoryLength = 1 << 20,
        ["a directory of 4 GB"] = zip => zip.DirectoryLength = uint.MaxValue,
        ["a directory that ends within a record"] = zip => zip.DirectoryLength = 60,
        ["a directory that ends within the second record"] = zip => zip.DirectoryLength = 120,
        ["an empty directory"] = zip => zip.DirectoryLength = 0,
        ["a ZIP64 locator that points beyond the end"] = zip => zip.End64 = new() { RecordOffset = 1 << 20 },
        ["a ZIP64 locator that points at itself"] = zip => zip.End64 = new() { RecordOffset = (ulong)zip.Build().Length - 22 + 56 },
        ["a ZIP64 locator that points elsewhere"] = zip => zip.End64 = new() { RecordOffset = 0 },
        ["a ZIP64 locator with a negative offset"] = zip => zip.End64 = new() { RecordOffset = ulong.MaxValue },
        ["a ZIP64 record without its signature"] = zip => zip.End64 = new() { RecordSignature = 0 },
        ["a ZIP64 count that is wrong"] = zip => zip.End64 = new() { EntryCount = 1UL << 40 },
        ["a ZIP64 count beyond 63 bits"] = zip => zip.End64 = new() { EntryCount = ulong.MaxValue },
        ["a ZIP64 directory length beyond the end"] = zip => zip.End64 = new() { DirectoryLength = 1UL << 40 },
        ["a ZIP64 directory length beyond 63 bits"] = zip => zip.End64 = new() { DirectoryLength = ulong.MaxValue },
        ["a ZIP64 directory length of 63 bits"] = zip => zip.End64 = new() { DirectoryLength = long.MaxValue },
        ["a ZIP64 directory offset of 63 bits"] = zip => zip.End64 = new() { DirectoryOffset = long.MaxValue },
        ["a length of 32 ones without ZIP64 sizes"] = zip =>
        {
            zip["model/version"].Length = uint.MaxValue;
            zip["model/version"].StoredLength = uint.MaxValue;
        },
        ["a header offset of 32 ones without a ZIP64 offset"] = zip => zip["model/version"].HeaderOffset = uint.MaxValue,
        ["a ZIP64 extra field that is too short"] = zip =>
        {
            zip["model/version"].CentralExtra = [1, 0, 4, 0, 1, 2, 3, 4];
            zip["model/version"].HeaderOffset = uint.MaxValue;
        },
        ["a ZIP64 extra field that claims more than there is"] = zip =>
        {
            zip["model/version"].CentralExtra = [1, 0, 0xff, 0xff, 1, 2, 3, 4];
            zip["model/version"].HeaderOffset = uint.MaxValue;
        },
        ["a ZIP64 offset beyond 63 bits"] = zip =>
        {
            zip["model/version"].CentralExtra = [1, 0, 8, 0, .. BitConverter.GetBytes(-1L)];
            zip["model/version"].HeaderOffset = uint.MaxValue;
        },
        ["ZIP64 sizes of 63 bits"] = zip =>
        {
            var version = zip["model/version"];
            version.CentralExtra = [1, 0, 16, 0, .. BitConverter.GetBytes(long.MaxValue), .. BitConverter.GetBytes(long.MaxValue)];
            version.Length = uint.MaxValue;
            version.StoredLength = uint.MaxValue;
        },
        ["a record beyond the end"] = zip => zip["model/version"].HeaderOffset = 1 << 20,
        ["a record within the directory"] = zip => zip["model/version"].HeaderOffset = (uint)zip.Build().Length - 60,
        ["a record that points at no header"] = zip => zip["model/version"].HeaderOffset = 1,
        ["a header without its signature"] = zip => zip["model/version"].LocalSignature = 0,
        ["a header whose extra field leaves no room for the data"] = zip => zip["model/version"].LocalExtraLength = ushort.MaxValue,
        ["data that reaches into the directory"] = zip =>
        {
            zip["model/version"].Length = 10;
            zip["model/version"].StoredLength = 10;
        },
        ["a stored record of two lengths"] = zip => zip["model/version"].Length = 1,
        ["two records on the same bytes"] = zip =>
        {
            zip.Add("model/data/0", "3\n"u8);
            zip["model/data/0"].HeaderOffset = (uint)"model/data.pkl".Length + 30 + zip["model/data.pkl"].Length;
        },
        ["a record within another one"] = zip =>
        {
            // The pickle's data goes on up to the directory, and two other records lie in it.
            var pickle = zip["model/data.pkl"];
            pickle.Length += (uint)(30 + "model/version".Length + 2);
            pickle.StoredLength = pickle.Length;
        },
        ["two records of one name"] = zip => zip.Add("model/version", "3\n"u8),
        ["a pickle of 4 GB, deflated"] = zip =>
        {
            zip["model/data.pkl"].Deflate();
            zip["model/data.pkl"].Length = uint.MaxValue - 1;
        },
        ["a pickle that is shorter than it claims, deflated"] = zip =>
        {
            zip["model/data.pkl"].Deflate();
            zip["model/data.pkl"].Length = 1000;
        },
        ["a pickle that claims to be deflated and is not"] = zip => zip["model/data.pkl"].ClaimMethod(8),
        ["a byte order that is neither"] = zip => zip.Add("model/byteorder", "middle"u8),
        ["a byte order as long as a novel"] = zip => zip.Add("model/byteorder", new byte[10_000]),
    };

    public static TheoryData<string> HarmlessKinds => [.. Harmless.Keys];

    public static TheoryData<string> DamagedKinds => [.. Damaged.Keys];

    [Theory]
    [MemberData(nameof(HarmlessKinds))]
    public void Opens_an_archive_with(string what)
    {
        var zip = ZipBuilder.EmptyDict();
        Harmless[what](zip);

        var file = TorchFile.Open(new MemorySource(zip.Build()));

        Assert.Empty(Assert.IsType<PickleDict>(file.Content).Entries);
        Assert.True(file.Facts.IsPickleChecksumValid);
    }

    [Theory]
    [MemberData(nameof(DamagedKinds))]
    public void Calls_damaged_an_archive_with(string what)
    {
        var zip = ZipBuilder.EmptyDict();
        Damaged[what](zip);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => TorchFile.Open(new MemorySource(zip.Build())), "memory.pt");
    }

    [Theory]
    [InlineData(12)] // bzip2
    [InlineData(14)] // LZMA
    [InlineData(93)] // Zstandard
    [InlineData(ushort.MaxValue)]
    public void Names_a_compression_method_that_PyTorch_does_not_know(int method)
    {
        var zip = ZipBuilder.EmptyDict();
        zip["model/data.pkl"].ClaimMethod((ushort)method);

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointUnrecognized,
            () => TorchFile.Open(new MemorySource(zip.Build())),
            "model/data.pkl",
            $"compression method {method}");
    }

    [Fact]
    public void Says_that_an_archive_is_encrypted()
    {
        var zip = ZipBuilder.EmptyDict();
        zip["model/data.pkl"].Flags = 1;

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => TorchFile.Open(new MemorySource(zip.Build())), "encrypted");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Refuses_a_record_that_claims_to_become_more_than_deflate_can_make_of_it(bool isPossible)
    {
        var zip = ZipBuilder.EmptyDict();
        var record = zip["model/version"];
        var before = record.Length;
        record.Deflate();
        record.Length = isPossible ? before : 60_000_000;

        if (isPossible)
        {
            TorchFile.Open(new MemorySource(zip.Build()));
            return;
        }

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => TorchFile.Open(new MemorySource(zip.Build())), "model/version", "60000000", "impossible");
    }

    [Fact]
    public void Notices_a_pickle_whose_checksum_is_wrong()
    {
        var zip = ZipBuilder.EmptyDict();
        zip["model/data.pkl"].Crc ^= 1;

        Assert.False(TorchFile.Open(new MemorySource(zip.Build())).Facts.IsPickleChecksumValid);
    }
}
