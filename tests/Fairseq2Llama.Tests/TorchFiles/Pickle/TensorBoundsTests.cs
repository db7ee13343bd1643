using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

/// <summary>A storage of six floats, and who stays within it.</summary>
public class TensorBoundsTests
{
    [Theory]
    [InlineData(0, new long[] { 6 }, new long[] { 1 })]
    [InlineData(5, new long[] { 1 }, new long[] { 1 })]
    [InlineData(5, new long[0], new long[0])]
    [InlineData(0, new long[] { 2, 3 }, new long[] { 3, 1 })]
    [InlineData(0, new long[] { 3, 2 }, new long[] { 1, 3 })]
    [InlineData(1, new long[] { 2, 2 }, new long[] { 3, 1 })]
    [InlineData(5, new long[] { 1000, 1000 }, new long[] { 0, 0 })]
    [InlineData(5, new long[] { 1, 1 }, new long[] { 1000, 1000 })]
    [InlineData(100, new long[] { 0 }, new long[] { 100 })]
    public void Takes_a_tensor_that_stays_within_its_storage(long offset, long[] shape, long[] strides)
    {
        var file = Open(Tensor(offset, shape, strides));
        var tensor = file.GetTensor(Assert.IsType<PickledTensor>(file.Content));

        Assert.Equal(shape, tensor.Shape.Sizes);
        Assert.Equal(strides, tensor.Strides);
        Assert.Equal(offset, tensor.StorageOffset);
    }

    [Theory]
    [InlineData(0, new long[] { 7 }, new long[] { 1 })]
    [InlineData(1, new long[] { 6 }, new long[] { 1 })]
    [InlineData(6, new long[] { 1 }, new long[] { 1 })]
    [InlineData(6, new long[0], new long[0])]
    [InlineData(0, new long[] { 2, 3 }, new long[] { 4, 1 })]
    [InlineData(0, new long[] { 3, 3 }, new long[] { 2, 1 })]
    [InlineData(0, new long[] { 2 }, new long[] { int.MaxValue })]
    [InlineData(int.MaxValue, new long[] { 2 }, new long[] { 0 })]
    [InlineData(0, new long[] { int.MaxValue, 2 }, new long[] { 1, 0 })]
    public void Refuses_a_tensor_that_leaves_its_storage(long offset, long[] shape, long[] strides) => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt, () => Open(Tensor(offset, shape, strides)), "memory.pt", "reaches beyond", "24 bytes");

    [Theory]
    [InlineData(-1, new long[] { 1 }, new long[] { 1 })]
    [InlineData(0, new long[] { -1 }, new long[] { 1 })]
    [InlineData(5, new long[] { 2 }, new long[] { -1 })]
    [InlineData(0, new long[] { 1, 2 }, new long[] { 1 })]
    [InlineData(0, new long[] { 1 }, new long[] { 1, 1 })]
    public void Refuses_what_describes_no_tensor(long offset, long[] shape, long[] strides) =>
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Open(Tensor(offset, shape, strides)), "malformed tensor");

    [Fact]
    public void Refuses_sizes_that_are_not_integers() => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt,
        () => Open(new PickleBuilder().OpWith(Opcode.Proto, 2)
            .Global("torch._utils", "_rebuild_tensor_v2").Op(Opcode.Mark).Storage("FloatStorage", "0", 6)
            .Integer(0).OpWith(Opcode.BinFloat, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0).Op(Opcode.Tuple1).Integers(1).Op(Opcode.NewFalse, Opcode.None)
            .Op(Opcode.Tuple, Opcode.Reduce)),
        "malformed tensor");

    [Fact]
    public void A_typed_view_of_other_width_is_measured_in_its_own()
    {
        // Six floats are twelve int16: the twelfth is within, the thirteenth is not.
        PickleBuilder Short(long offset) => new PickleBuilder().OpWith(Opcode.Proto, 2)
            .TensorV3("int16", storage => storage.Storage("FloatStorage", "0", 6), offset, [1], [1]);

        Assert.NotNull(Open(Short(11)).Content);
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Open(Short(12)), "reaches beyond");
    }

    [Fact]
    public void Elements_beyond_the_last_whole_one_do_not_count()
    {
        // 24 bytes hold one complex128 and a half.
        PickleBuilder Complex(long count) => new PickleBuilder().OpWith(Opcode.Proto, 2)
            .TensorV3("complex128", storage => storage.Storage("FloatStorage", "0", 6), offset: 0, [count], [1]);

        Assert.NotNull(Open(Complex(1)).Content);
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Open(Complex(2)), "reaches beyond");
    }

    [Theory]
    [InlineData("FloatStorage", 5)]
    [InlineData("IntStorage", 6)]
    [InlineData("ByteStorage", 24)]
    public void Refuses_a_storage_that_is_described_in_two_ways(string type, long count) => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt,
        () => new PickleBuilder().Storage("FloatStorage", "0", 6).Storage(type, "0", count).Op(Opcode.Tuple2).Run(),
        "'0'",
        "in two ways");

    [Fact]
    public void Tensors_that_name_one_storage_have_the_same_one()
    {
        var file = Open(new PickleBuilder().OpWith(Opcode.Proto, 2)
            .Tensor(storage => storage.Storage("FloatStorage", "0", 6), offset: 0, [2], [1])
            .Tensor(storage => storage.Storage("FloatStorage", "0", 6), offset: 3, [2], [1])
            .Op(Opcode.Tuple2));

        var tensors = Assert.IsType<PickleTuple>(file.Content).Items.Select(item => file.GetTensor(Assert.IsType<PickledTensor>(item))).ToArray();

        Assert.Same(tensors[0].Storage, tensors[1].Storage);
        Assert.NotEqual(tensors[0], tensors[1]);
    }

    private static PickleBuilder Tensor(long offset, long[] shape, long[] strides) => new PickleBuilder().OpWith(Opcode.Proto, 2)
        .Tensor(storage => storage.Storage("FloatStorage", "0", 6), offset, shape, strides);

    private static TorchFile Open(PickleBuilder pickle) =>
        TorchFile.Open(new MemorySource(ZipBuilder.TorchSave(pickle.Stop(), ("0", new byte[24])).Build()));
}
