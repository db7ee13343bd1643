using Fairseq2Llama.SafeTensors;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.SafeTensors;

public class SafeTensorsFileTests
{
    public static TheoryData<string> Files => [.. SafeTensorsManifest.Files.Keys];

    [Theory]
    [MemberData(nameof(Files))]
    public void Reads_what_the_library_wrote(string name)
    {
        var file = Open(name);
        var expected = SafeTensorsManifest.Files[name];

        Assert.Equal(expected.Metadata.ToDictionary(), file.Metadata.ToDictionary());
        Assert.Equal(
            expected.Tensors.Select(tensor => (tensor.Name, tensor.Dtype, Show(tensor.Shape), tensor.Sha256)),
            file.Tensors.OrderBy(entry => entry.Name, StringComparer.Ordinal).Select(entry => (
                entry.Name, DTypeInfo.Of(entry.Tensor.DType).SafeTensorsName!, Show(entry.Tensor.Shape.Sizes), TensorBytes.Sha256(entry.Tensor))));
    }

    [Fact]
    public void Knows_every_file_of_the_folder() => Assert.Equal(
        SafeTensorsManifest.Files.Keys.Order(StringComparer.Ordinal),
        Directory.EnumerateFiles(Repository.Data("safetensors"), "*.safetensors").Select(Path.GetFileName).Order(StringComparer.Ordinal));

    [Fact]
    public void Takes_each_dtype_for_what_PyTorch_calls_it()
    {
        var tensors = Open("dtypes.safetensors").Tensors;

        Assert.Equal(15, tensors.Count);
        Assert.All(tensors, entry => Assert.Equal(entry.Name, entry.Tensor.DType.GetTorchName()));
    }

    [Fact]
    public void Reads_complex_numbers() => Assert.Equal(
        DType.Complex64, Assert.Single(Open(SafeTensorsBuilder.Build($"{{{SafeTensorsBuilder.Entry("x", "C64", "1", 0, 8)}}}", new byte[8])).Tensors).Tensor.DType);

    [Fact]
    public void Each_tensor_is_all_of_a_storage_of_its_own()
    {
        var header = $"{{{SafeTensorsBuilder.Entry("x", "I16", "2,3", 0, 12)},{SafeTensorsBuilder.Entry("y", "U8", "", 12, 13)}}}";
        var source = new MemorySource(SafeTensorsBuilder.Build(header, new byte[13]));

        var file = SafeTensorsFile.Open(source);
        var (x, y) = (file.Tensors[0].Tensor, file.Tensors[1].Tensor);

        Assert.Same(source, file.Source);
        Assert.Equal(("x", 8L + header.Length, 12L, (uint?)null), (x.Storage.Record, x.Storage.Offset, x.Storage.Length, x.Storage.Crc32));
        Assert.Equal(("y", 8L + header.Length + 12, 1L, (uint?)null), (y.Storage.Record, y.Storage.Offset, y.Storage.Length, y.Storage.Crc32));
        Assert.Equal([3, 1], x.Strides);
        Assert.Empty(y.Strides);
        Assert.True(x.IsContiguous && y.IsContiguous);
        Assert.Same(source, x.Storage.Source);
    }

    [Fact]
    public void Reads_nothing_behind_the_header()
    {
        var header = $"{{{SafeTensorsBuilder.Entry("x", "U8", "100", 0, 100)}}}";
        var source = new MemorySource(SafeTensorsBuilder.Build(header, new byte[100]));

        SafeTensorsFile.Open(source);

        Assert.Equal(8 + header.Length, source.EndOfReads);
    }

    [Fact]
    public void Lists_tensors_in_the_order_of_their_data()
    {
        string[] entries =
        [
            SafeTensorsBuilder.Entry("last", "U8", "2", 3, 5), SafeTensorsBuilder.Entry("empty b", "U8", "0", 3, 3),
            SafeTensorsBuilder.Entry("empty a", "U8", "0", 3, 3), SafeTensorsBuilder.Entry("first", "U8", "3", 0, 3), SafeTensorsBuilder.Entry("end", "U8", "0", 5, 5),
        ];

        var file = Open(SafeTensorsBuilder.Build($"{{{string.Join(',', entries)}}}", new byte[5]));

        Assert.Equal(["first", "empty b", "empty a", "last", "end"], file.Tensors.Select(entry => entry.Name));
    }

    [Fact]
    public void Stops_when_it_is_cancelled()
    {
        var source = new LocalFile(Repository.Data("safetensors/shapes.safetensors"));

        Assert.Throws<OperationCanceledException>(() => SafeTensorsFile.Open(source, new CancellationToken(canceled: true)));
    }

    private static SafeTensorsFile Open(string name) => SafeTensorsFile.Open(new LocalFile(Repository.Data($"safetensors/{name}")));

    private static SafeTensorsFile Open(byte[] file) => SafeTensorsFile.Open(new MemorySource(file));

    private static string Show(IEnumerable<long> numbers) => string.Join(",", numbers);
}
