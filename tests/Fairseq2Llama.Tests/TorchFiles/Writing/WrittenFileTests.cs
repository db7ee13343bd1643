using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.TorchFiles.Writing;

/// <summary>Files that PyTorch wrote, read and written again, as PyTorch and Python's own libraries see them.</summary>
public sealed class WrittenFileTests : IDisposable
{
    private static readonly string[] Originals =
        ["tensors/dtypes.pt", "tensors/shapes.pt", "checkpoints/views/model.pt", "checkpoints/deflated/model.pt", "checkpoints/tied/model.pt"];

    private readonly TempFolder _folder = new();

    [External]
    [Fact]
    public void PyTorch_and_Python_read_what_was_written()
    {
        var paths = new List<string>();

        foreach (var (original, i) in Originals.Select((original, i) => (Repository.Data(original), i)))
        {
            paths.Add(TensorFiles.Write(TensorFiles.Plan($"consolidated.0{i}.pth", TensorFiles.Read(original)), _folder));
            paths.Add(original);
        }

        // A file without tensors, which has only itself to be compared with.
        var empty = TensorFiles.Write(TensorFiles.Plan("empty.pth", []), _folder);
        paths.AddRange([empty, empty]);

        var output = PyTorch.Ask(
            """
            import io, pickletools, shutil, struct, subprocess, sys, torch, zipfile

            def read(path):
                content = torch.load(path)
                return content[content["model_key"]] if "model_key" in content else content

            def data(tensor):
                # A view as bytes tells NaN from NaN and knows every dtype. It takes one dimension at least.
                return bytes(tensor.contiguous().reshape(-1).view(torch.uint8).tolist())

            def check_headers(path):
                with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
                    assert archive.testzip() is None
                    for info in archive.infolist():
                        file.seek(info.header_offset)
                        signature, version, flags, method, time, date, crc, stored, length, name_length, extra_length = struct.unpack(
                            "<4sHHHHHLLLHH", file.read(30))
                        assert signature == b"PK\x03\x04"
                        assert (version, flags, method) == (info.extract_version, info.flag_bits, info.compress_type)
                        # As in PyTorch's archives: what the header leaves open follows the data.
                        assert flags == 0x808 and (crc, stored, length) == (0, 0, 0)
                        assert file.read(name_length).decode() == info.filename
                        data_offset = info.header_offset + 30 + name_length + extra_length
                        assert data_offset % 64 == 0, info.filename
                        file.seek(data_offset + info.file_size)
                        assert struct.unpack("<4sLLL", file.read(16)) == (b"PK\x07\x08", info.CRC, info.compress_size, info.file_size)
                    root = archive.namelist()[0].split("/")[0]
                    assert archive.read(root + "/version") == b"3\n" and archive.read(root + "/byteorder") == b"little"
                    pickle = archive.read(root + "/data.pkl")
                pickletools.dis(pickle, io.StringIO())
                assert max(opcode.proto for opcode, _, _ in pickletools.genops(pickle)) == 2
                if shutil.which("unzip"):
                    subprocess.run(["unzip", "-tqq", path], check=True)
                return root

            for path, original in zip(sys.argv[1::2], sys.argv[2::2]):
                root = check_headers(path)
                written, expected, safe = torch.load(path), read(original), torch.load(path, weights_only=True)
                assert type(written) is dict and list(written) == list(expected) == list(safe)
                for name, tensor in written.items():
                    assert tensor.dtype == expected[name].dtype and tensor.shape == expected[name].shape, name
                    assert tensor.is_contiguous() and not tensor.requires_grad, name
                    assert data(tensor) == data(expected[name]) == data(safe[name]), name
                storages = len({tensor.storage().data_ptr() for tensor in written.values() if tensor.numel()})
                print(root, len(written), storages, *sorted({str(tensor.dtype)[6:] for tensor in written.values()}))
            """,
            [.. paths]);

        // The tensors, the storages (those that are the same view are one) and the dtypes of each.
        Assert.Equal(
            """
            consolidated.00 12 12 bfloat16 bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 uint8
            consolidated.01 18 15 float32 int64
            consolidated.02 21 21 bfloat16
            consolidated.03 21 21 float32
            consolidated.04 21 20 bfloat16
            empty 0 0
            """,
            output,
            ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void The_same_plan_gives_the_same_bytes()
    {
        using var other = new TempFolder();
        var entries = TensorFiles.Read(Repository.Data("tensors/shapes.pt"));

        var first = File.ReadAllBytes(TensorFiles.Write(TensorFiles.Plan("a.pth", entries), _folder));
        var second = File.ReadAllBytes(TensorFiles.Write(TensorFiles.Plan("a.pth", entries), other));

        Assert.Equal(first, second);
    }

    [Theory]
    [InlineData("tensors/dtypes.pt")]
    [InlineData("tensors/shapes.pt")]
    public void Is_exactly_as_long_as_planned(string original)
    {
        var plan = TensorFiles.Plan("a.pth", TensorFiles.Read(Repository.Data(original)));

        Assert.Equal(plan.Length, new FileInfo(TensorFiles.Write(plan, _folder)).Length);
    }

    [Fact]
    public void What_was_written_is_written_the_same_again()
    {
        using var other = new TempFolder();

        var first = TensorFiles.Write(TensorFiles.Plan("a.pth", TensorFiles.Read(Repository.Data("tensors/shapes.pt"))), _folder);
        var second = TensorFiles.Write(TensorFiles.Plan("a.pth", TensorFiles.Read(first)), other);

        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
    }

    public void Dispose() => _folder.Dispose();
}
