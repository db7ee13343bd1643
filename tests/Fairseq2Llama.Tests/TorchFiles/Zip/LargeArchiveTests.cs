using System.Globalization;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;
using Fairseq2Llama.TorchFiles.Writing;
using Fairseq2Llama.TorchFiles.Zip;

namespace Fairseq2Llama.Tests.TorchFiles.Zip;

/// <summary>Beyond 32 bits. The files are sparse: they have headers and holes.</summary>
public sealed class LargeArchiveTests : IDisposable
{
    // The greatest length that fits 32 bits, the first that does not, and one well beyond; the last record lies far behind.
    private static readonly long[] Lengths = [uint.MaxValue - 1L, uint.MaxValue, (1L << 32) + 12, 3];

    private readonly TempFolder _folder = new();
    private readonly PlannedTensorFile _plan;
    private readonly TorchFileLayout _layout;

    public LargeArchiveTests()
    {
        _plan = new PlannedTensorFile("large.00.pth", new TorchContainer(), Lengths.Select(Tensor));
        _layout = (TorchFileLayout)_plan.Layout;
        WriteFrame(_layout, _folder[_plan.Name]);
    }

    [Fact]
    public void Finds_records_beyond_32_bits()
    {
        var file = new LocalFile(_folder[_plan.Name]);
        using var reader = file.Open();

        var entries = ZipDirectory.Read(file, reader, CancellationToken.None);

        Assert.Equal(
            _layout.Items.Select(item => (item.Record.HeaderOffset, item.Record.DataOffset, item.Record.Length)),
            entries.Select(entry => (entry.HeaderOffset, entry.DataOffset, entry.Length)));
        Assert.Equal(Lengths, entries.Where(entry => entry.Name.Contains("/data/", StringComparison.Ordinal)).Select(entry => entry.StoredLength));
    }

    [Fact]
    public void Reads_tensors_beyond_32_bits()
    {
        var file = TorchFile.Open(new LocalFile(_folder[_plan.Name]));

        var tensors = Assert.IsType<PickleDict>(file.Content).Entries.Select(entry => file.GetTensor(Assert.IsType<PickledTensor>(entry.Value)));

        Assert.Equal(Lengths, tensors.Select(tensor => tensor.SizeInBytes));
        Assert.Equal(
            _layout.Items.Where(item => item.Storage is not null).Select(item => item.Record.DataOffset),
            tensors.Select(tensor => tensor.Storage.Offset));
    }

    [Fact]
    public void Is_as_long_as_planned() => Assert.Equal(_plan.Length, new FileInfo(_folder[_plan.Name]).Length);

    [External]
    [Fact]
    public void Python_and_PyTorch_find_the_same_records()
    {
        var listing = PyTorch.Ask(
            """
            import struct, sys, torch, zipfile

            path = sys.argv[1]
            records = torch._C.PyTorchFileReader(path).get_all_records()
            with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
                for info in archive.infolist():
                    assert info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size
                    file.seek(info.header_offset)
                    header = file.read(30)
                    name_length, extra_length = struct.unpack("<HH", header[26:])
                    data_offset = info.header_offset + 30 + name_length + extra_length
                    # The sizes follow the data, in 32 bits, or in 64 where the local header has a ZIP64 extra field.
                    assert file.read(name_length).decode() == info.filename
                    extra = file.read(extra_length)
                    assert struct.unpack("<LL", header[18:26]) == (0, 0)
                    is_long = struct.unpack("<HH", extra[:4]) == (1, 16)
                    assert is_long == (info.file_size >= 0xFFFFFFFF)
                    file.seek(data_offset + info.file_size)
                    signature, crc = struct.unpack("<4sL", file.read(8))
                    sizes = struct.unpack("<QQ", file.read(16)) if is_long else struct.unpack("<LL", file.read(8))
                    assert (signature, crc, sizes) == (b"PK\x07\x08", info.CRC, (info.file_size, info.file_size))
                    assert info.filename.split("/", 1)[1] in records
                    print(info.filename, info.header_offset, data_offset, info.file_size)
            """,
            _folder[_plan.Name]);

        string[] names = ["data.pkl", "byteorder", "data/0", "data/1", "data/2", "data/3", "version"];

        Assert.Equal(
            _layout.Items.Zip(names, (item, name) => string.Create(
                CultureInfo.InvariantCulture, $"large.00/{name} {item.Record.HeaderOffset} {item.Record.DataOffset} {item.Record.Length}")),
            listing.Split('\n'));
    }

    public void Dispose() => _folder.Dispose();

    private static PlannedTensor Tensor(long length)
    {
        var storage = new StoredBytes { Source = new MemorySource([]), Record = "none", Offset = 0, Length = length };
        var runs = new ByteRuns(storage, 0, length, []);
        var name = length.ToString(CultureInfo.InvariantCulture);

        return new PlannedTensor(name, name, DType.UInt8, new TensorShape(length), new PlannedStorage(DType.UInt8, [RowBlock.Of(runs)]));
    }

    private static void WriteFrame(TorchFileLayout layout, string path)
    {
        using var file = new FileStream(path, FileMode.CreateNew);

        foreach (var (offset, bytes) in layout.Head.Concat(layout.Storages.SelectMany((_, index) => layout.FootOf(index, 0))).Concat(layout.Tail(new uint[layout.Storages.Count])))
        {
            file.Position = offset;
            file.Write(bytes.Span);
        }
    }
}
