using System.IO.Compression;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.TorchFiles.Writing;

/// <summary>Files of big-endian machines: PyTorch's own file with every number turned round must give PyTorch's values.</summary>
public class ByteOrderTests
{
    private const string Original = "tensors/dtypes.pt";

    /// <summary>Bytes of what is turned round; a complex number is two of them.</summary>
    private static readonly Dictionary<DType, int> Units = new()
    {
        [DType.Float32] = 4,
        [DType.Float64] = 8,
        [DType.Float16] = 2,
        [DType.BFloat16] = 2,
        [DType.Int8] = 1,
        [DType.Int16] = 2,
        [DType.Int32] = 4,
        [DType.Int64] = 8,
        [DType.UInt8] = 1,
        [DType.Bool] = 1,
        [DType.Complex64] = 4,
        [DType.Complex128] = 8,
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_dtype_is_turned_round(bool isDeflated)
    {
        var entries = TensorFiles.Read(BigEndian(isDeflated));

        Assert.Equal(
            Manifest.Instance.Files[Original].Select(tensor => (tensor.Name, tensor.Sha256)),
            entries.Select(entry => (entry.Name, TensorBytes.Sha256(entry.Tensor))));
        Assert.Equal(Units.Keys.Order(), entries.Select(entry => entry.Tensor.DType).Order());
    }

    [Fact]
    public void The_written_file_is_that_of_the_little_endian_one()
    {
        using var folder = new TempFolder();
        using var other = new TempFolder();

        var fromBig = TensorFiles.Write(TensorFiles.Plan("a.pth", TensorFiles.Read(BigEndian(isDeflated: false))), folder);
        var fromLittle = TensorFiles.Write(TensorFiles.Plan("a.pth", TensorFiles.Read(Repository.Data(Original))), other);

        Assert.Equal(File.ReadAllBytes(fromLittle), File.ReadAllBytes(fromBig));
    }

    private static byte[] BigEndian(bool isDeflated)
    {
        var dtypes = TensorFiles.Read(Repository.Data(Original)).ToDictionary(entry => entry.Tensor.Storage.Record, entry => entry.Tensor.DType);
        var zip = new ZipBuilder();

        using var archive = ZipFile.OpenRead(Repository.Data(Original));

        foreach (var entry in archive.Entries)
        {
            var data = new byte[entry.Length];
            using var stream = entry.Open();
            stream.ReadExactly(data);

            if (dtypes.TryGetValue(entry.FullName, out var dtype))
            {
                data = [.. data.Chunk(Units[dtype]).SelectMany(number => number.Reverse())];
            }

            zip.Add(entry.FullName, data);

            if (isDeflated)
            {
                zip[entry.FullName].Deflate();
            }
        }

        return zip.Add("dtypes/byteorder", "big"u8).Build();
    }
}
