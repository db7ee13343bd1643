using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

public class RebuildTensorTests
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 24).Select(i => (byte)i)];

    [Theory]
    [InlineData("float8_e4m3fn", DType.Float8E4M3FN)]
    [InlineData("float8_e5m2", DType.Float8E5M2)]
    [InlineData("uint16", DType.UInt16)]
    [InlineData("uint32", DType.UInt32)]
    [InlineData("uint64", DType.UInt64)]
    [InlineData("bfloat16", DType.BFloat16)]
    public void Takes_the_dtype_of_v3_on_an_untyped_storage(string name, DType dtype)
    {
        foreach (var module in new[] { "torch", "torch.storage" })
        {
            var pickle = New().TensorV3(name, storage => Untyped(storage, module, 24), offset: 0, shape: [24 / dtype.GetItemSize()], strides: [1]);

            var (tensor, bytes) = Open(pickle);

            Assert.Equal(dtype, tensor.DType);
            Assert.Equal(Bytes, bytes);
        }
    }

    [Fact]
    public void The_dtype_of_v3_wins_over_that_of_the_storage()
    {
        var pickle = New().TensorV3("int16", storage => storage.Storage("FloatStorage", "0", 6), offset: 2, shape: [2, 2], strides: [2, 1]);

        var (tensor, bytes) = Open(pickle);

        Assert.Equal(DType.Int16, tensor.DType);
        Assert.Equal(Bytes[4..12], bytes);
    }

    [Fact]
    public void Reads_rebuild_from_type()
    {
        // (_rebuild_tensor_v2, torch.Tensor, (storage, …), state): a tensor that had attributes set on it.
        var pickle = New().Global("torch._tensor", "_rebuild_from_type_v2").Op(Opcode.Mark)
            .Global("torch._utils", "_rebuild_tensor_v2").Global("torch", "Tensor")
            .Op(Opcode.Mark).Storage("ByteStorage", "0", 24).Integer(1).Integers(3).Integers(1).Op(Opcode.NewFalse).EmptyOrderedDict()
            .Op(Opcode.Tuple)
            .Op(Opcode.EmptyDict).Text("attribute").Integer(1).Op(Opcode.SetItem)
            .Op(Opcode.Tuple, Opcode.Reduce);

        Assert.Equal([1, 2, 3], Open(pickle).Bytes);
    }

    [Fact]
    public void Does_not_recurse_through_rebuild_from_type() => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt,
        () => New().Global("torch._tensor", "_rebuild_from_type_v2").OpWith(Opcode.BinPut, 0).Op(Opcode.Mark)
            .OpWith(Opcode.BinGet, 0).Global("torch", "Tensor").Op(Opcode.EmptyTuple, Opcode.EmptyDict, Opcode.Tuple, Opcode.Reduce).Run(),
        "_rebuild_from_type_v2");

    [Theory]
    [InlineData("_rebuild_parameter")]
    [InlineData("_rebuild_parameter_with_state")]
    public void A_parameter_is_its_tensor(string function)
    {
        var pickle = New().Global("torch._utils", function).Op(Opcode.Mark);
        Simple(pickle).Op(Opcode.NewTrue).EmptyOrderedDict();

        if (function.EndsWith("state", StringComparison.Ordinal))
        {
            pickle.Op(Opcode.EmptyDict).Text("attribute").Integer(1).Op(Opcode.SetItem);
        }

        Assert.Equal([1, 2, 3], Open(pickle.Op(Opcode.Tuple, Opcode.Reduce)).Bytes);
    }

    [Fact]
    public void A_parameter_of_something_else_is_malformed() => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt,
        () => New().Global("torch._utils", "_rebuild_parameter")
            .Op(Opcode.Mark, Opcode.None, Opcode.NewTrue, Opcode.None, Opcode.Tuple, Opcode.Reduce).Run(),
        "_rebuild_parameter");

    [Fact]
    public void The_state_of_a_tensor_does_not_matter() =>
        Assert.Equal([1, 2, 3], Open(Simple(New()).Op(Opcode.EmptyDict, Opcode.Build)).Bytes);

    [Theory]
    [InlineData("conj")]
    [InlineData("neg")]
    public void Refuses_a_tensor_whose_values_are_not_what_is_stored(string bit)
    {
        // torch.ones(2, dtype=torch.complex64).conj() is the stored values and a promise to conjugate them.
        var pickle = New().Global("torch._utils", "_rebuild_tensor_v2").Op(Opcode.Mark)
            .Storage("ComplexFloatStorage", "0", 3).Integer(0).Integers(3).Integers(1).Op(Opcode.NewFalse).EmptyOrderedDict()
            .Op(Opcode.EmptyDict).Text(bit).Op(Opcode.NewTrue, Opcode.SetItem).Op(Opcode.Tuple, Opcode.Reduce);

        ErrorAssert.Throws(CheckpointErrorCode.UnsupportedTensor, () => pickle.Run(), "resolve_conj");
    }

    [Fact]
    public void Refuses_the_storage_views_of_old() => ErrorAssert.Throws(
        CheckpointErrorCode.UnsupportedTensor,
        () => New().Op(Opcode.Mark).Text("storage").Global("torch", "FloatStorage").Text("0").Text("cpu").Integer(6).Op(Opcode.EmptyTuple)
            .Op(Opcode.Tuple, Opcode.BinPersId).Run(),
        "before 0.4");

    [Fact]
    public void An_untyped_storage_alone_does_not_make_a_tensor() => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt,
        () => New().Tensor(storage => Untyped(storage, "torch", 24), offset: 0, shape: [24], strides: [1]).Run(),
        "malformed tensor");

    private static (TensorView Tensor, byte[] Bytes) Open(PickleBuilder pickle)
    {
        var file = TorchFile.Open(new MemorySource(ZipBuilder.TorchSave(pickle.Stop(), ("0", Bytes)).Build()));
        var tensor = file.GetTensor(Assert.IsType<PickledTensor>(file.Content));
        return (tensor, TensorBytes.Of(tensor));
    }

    private static PickleBuilder Simple(PickleBuilder pickle) =>
        pickle.Tensor(storage => storage.Storage("ByteStorage", "0", 24), offset: 1, shape: [3], strides: [1]);

    private static void Untyped(PickleBuilder pickle, string module, long length) => pickle
        .Op(Opcode.Mark).Text("storage").Global(module, "UntypedStorage").Text("0").Text("cpu").Integer(length)
        .Op(Opcode.Tuple, Opcode.BinPersId);

    private static PickleBuilder New() => new PickleBuilder().OpWith(Opcode.Proto, 2);
}
