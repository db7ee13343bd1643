using System.Globalization;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;
using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Tests.TorchFiles.Writing;

public class StateDictPickleTests
{
    public static TheoryData<DType> DTypes => [.. Enum.GetValues<DType>().Where(dtype => dtype != DType.Q8_0)];

    [Theory]
    [MemberData(nameof(DTypes))]
    public void The_reader_understands_every_dtype(DType dtype)
    {
        var storage = Storage(dtype, 6);

        var unpickled = PickleBuilder.Run(StateDictPickle.Write([Tensor("weight", storage, 2, 3)], [storage]), out _);

        var entry = Assert.Single(Assert.IsType<PickleDict>(unpickled.Content).Entries);
        var pickled = Assert.IsType<PickledTensor>(entry.Value);
        var tensor = On(pickled, storage);
        Assert.Equal("weight", entry.Key);
        Assert.Equal((dtype, "0", storage.Length), (tensor.DType, pickled.Storage.Key, pickled.Storage.Length));
        Assert.Equal([2, 3], tensor.Shape.Sizes);
        Assert.Equal([3, 1], tensor.Strides);
    }

    [Theory]
    [InlineData(new long[0], new long[0])]
    [InlineData(new long[] { 0 }, new long[] { 1 })]
    [InlineData(new long[] { 0, 4 }, new long[] { 4, 1 })]
    [InlineData(new long[] { 4, 0 }, new long[] { 1, 1 })]
    [InlineData(new long[] { 2, 0, 3 }, new long[] { 3, 3, 1 })]
    [InlineData(new long[] { 2, 3, 4 }, new long[] { 12, 4, 1 })]
    [InlineData(new long[] { 256, 70_000 }, new long[] { 70_000, 1 })]
    public void Strides_are_those_of_PyTorch(long[] shape, long[] strides)
    {
        // The expected ones are what torch.empty(shape).stride() says.
        var storage = Storage(DType.UInt8, shape.Aggregate(1L, (product, size) => product * size));

        var unpickled = PickleBuilder.Run(StateDictPickle.Write([Tensor("weight", storage, shape)], [storage]), out _);

        Assert.Equal(strides, On(Assert.Single(unpickled.Tensors), storage).Strides);
    }

    [Fact]
    public void Names_may_be_any_text()
    {
        var storage = Storage(DType.Float32, 1);
        string[] names = ["", "a.b", "gewicht.größe", "重み", "😀", new('x', 1000), "line\nbreak"];

        var unpickled = PickleBuilder.Run(StateDictPickle.Write([.. names.Select(name => Tensor(name, storage, 1))], [storage]), out _);

        Assert.Equal(names, Assert.IsType<PickleDict>(unpickled.Content).Entries.Select(entry => entry.Key));
        Assert.Single(unpickled.Storages);
    }

    [External]
    [Fact]
    public void Python_reads_sizes_of_any_width()
    {
        // Around each border between two opcodes for integers.
        long[] counts = [0, 1, 255, 256, 65_535, 65_536, int.MaxValue, int.MaxValue + 1L, uint.MaxValue, 1L << 32, (1L << 40) + 1];
        var storages = counts.Select(count => Storage(DType.UInt8, count)).ToArray();
        var pickle = StateDictPickle.Write(
            [.. storages.Select((storage, i) => Tensor(counts[i].ToString(CultureInfo.InvariantCulture), storage, counts[i]))], storages);

        var output = PyTorch.Ask(
            """
            import io, pickle, sys

            class Reader(pickle.Unpickler):
                def persistent_load(self, id):
                    return id
                def find_class(self, module, name):
                    return lambda *arguments: (name, *arguments)

            for name, tensor in Reader(io.BytesIO(bytes.fromhex(sys.argv[1]))).load().items():
                function, (tag, storage_type, key, location, count), offset, shape, stride, requires_grad, hooks = tensor
                assert (function, tag, location, offset, stride, requires_grad) == ("_rebuild_tensor_v2", "storage", "cpu", 0, (1,), False)
                assert shape == (count,) and int(name) == count
                print(key, count)
            """,
            Convert.ToHexStringLower(pickle));

        Assert.Equal(counts.Select((count, key) => string.Create(CultureInfo.InvariantCulture, $"{key} {count}")), output.Split('\n'));
    }

    private static PlannedStorage Storage(DType dtype, long count)
    {
        var length = count * dtype.GetItemSize();
        var input = new StoredBytes { Source = new MemorySource([]), Record = "none", Offset = 0, Length = length };
        return new PlannedStorage(dtype, [RowBlock.Of(new ByteRuns(input, 0, length, []))]);
    }

    private static TensorView On(PickledTensor tensor, PlannedStorage storage) => tensor.On(storage.Runs.First().Storage, "some.pt");

    private static PlannedTensor Tensor(string name, PlannedStorage storage, params ReadOnlySpan<long> shape) =>
        new(name, name, storage.DType, new TensorShape(shape), storage);
}
