using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

/// <summary>Sizes beyond 32 bits, which Python writes as LONG1: legal where there is that much data, an attack where there is not.</summary>
public class LargeIntegerTests
{
    [Fact]
    public void Takes_sizes_beyond_32_bits()
    {
        const long Count = 3L << 30;

        var (_, storages, tensors) = new PickleBuilder().OpWith(Opcode.Proto, 2)
            .Tensor(storage => storage.Storage("FloatStorage", "0", Count), offset: 0, shape: [3, 1 << 30], strides: [1 << 30, 1])
            .Run();

        var length = Assert.Single(storages).Length;
        var storage = new StoredBytes { Source = new MemorySource([]), Record = "0", Offset = 0, Length = length };
        Assert.Equal(Count * 4, length);
        Assert.Equal(Count, Assert.Single(tensors).On(storage, "some.pt").Shape.ElementCount);
    }

    [Theory]
    [InlineData(1L << 62, 1L, 1L, "reaches beyond")]
    [InlineData(long.MaxValue, 1L, 1L, "reaches beyond")]
    [InlineData(0L, 1L << 62, 1L, "4 bytes")]
    [InlineData(0L, 1L << 60, 1L, "4 bytes")]
    [InlineData(0L, 1L << 39, 1L, "reaches beyond")]
    [InlineData(0L, 2L, 1L << 62, "reaches beyond")]
    [InlineData(0L, 2L, long.MaxValue, "reaches beyond")]
    [InlineData(1L << 62, 2L, 1L << 62, "reaches beyond")]
    [InlineData(1L << 62, 3L, long.MaxValue, "reaches beyond")]
    public void A_tensor_can_not_leave_its_storage_by_overflow(long offset, long size, long stride, string what)
    {
        var pickle = new PickleBuilder().OpWith(Opcode.Proto, 2)
            .Tensor(storage => storage.Storage("FloatStorage", "0", 6), offset, [size], [stride]).Stop();

        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointCorrupt, () => TorchFile.Open(new MemorySource(ZipBuilder.TorchSave(pickle, ("0", new byte[24])).Build())), what);
    }

    [Fact]
    public void A_shape_can_not_overflow()
    {
        var pickle = new PickleBuilder()
            .Tensor(storage => storage.Storage("FloatStorage", "0", 6), offset: 0, shape: [1L << 32, 1L << 32], strides: [0, 0]);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => pickle.Run(), "4294967296x4294967296");
    }

    [Fact]
    public void A_storage_can_not_overflow() => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt, () => new PickleBuilder().Storage("FloatStorage", "0", 1L << 62).Run(), "4611686018427387904 elements");

    [Fact]
    public void Strides_that_overflow_with_no_elements_do_no_harm()
    {
        var pickle = new PickleBuilder().OpWith(Opcode.Proto, 2)
            .Tensor(storage => storage.Storage("FloatStorage", "0", 0), offset: 1L << 62, shape: [0, 2], strides: [1L << 62, 1L << 62]).Stop();

        var file = TorchFile.Open(new MemorySource(ZipBuilder.TorchSave(pickle, ("0", [])).Build()));

        Assert.Empty(TensorBytes.Of(file.GetTensor(Assert.IsType<PickledTensor>(file.Content))));
    }
}
