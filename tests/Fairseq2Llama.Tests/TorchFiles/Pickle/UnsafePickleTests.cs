using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

public class UnsafePickleTests
{
    [Theory]
    [InlineData("posix", "system")]
    [InlineData("nt", "system")]
    [InlineData("os", "system")]
    [InlineData("subprocess", "Popen")]
    [InlineData("builtins", "eval")]
    [InlineData("builtins", "exec")]
    [InlineData("builtins", "getattr")]
    [InlineData("__builtin__", "eval")]
    [InlineData("torch", "load")]
    [InlineData("torch.hub", "load")]
    [InlineData("torch.serialization", "load")]
    [InlineData("torch._utils", "rebuild")]
    [InlineData("torch.jit", "load")]
    [InlineData("numpy.core.multiarray", "_reconstruct")]
    [InlineData("numpy", "dtype")]
    [InlineData("operator", "attrgetter")]
    [InlineData("functools", "partial")]
    [InlineData("collections", "OrderedDict.fromkeys")]
    [InlineData("collections", "defaultdict")]
    [InlineData("", "")]
    [InlineData("COLLECTIONS", "ORDEREDDICT")]
    [InlineData("torch ", "Size")]
    [InlineData("torch._utils", "_rebuild_tensor_v2.__globals__")]
    [InlineData("torch._utils", "_rebuild_qtensor.__globals__")]
    [InlineData("torch._utils", "_rebuild_anything")]
    [InlineData("torch._utils", "_rebuild_qtensor ")]
    [InlineData("torch.distributed.evil", "DTensor")]
    [InlineData("evil", "ShardedTensor")]
    public void Refuses_every_global_that_no_state_dict_needs(string module, string name)
    {
        ErrorAssert.Throws(
            CheckpointErrorCode.UnsafePickle, () => New().Global(module, name).Run(), "'some.pt'", $"'{module}.{name}'", "Nothing was executed");

        ErrorAssert.Throws(
            CheckpointErrorCode.UnsafePickle, () => New().StackGlobal(module, name).Run(), "'some.pt'", $"'{module}.{name}'", "Nothing was executed");
    }

    /// <summary>Names that look like known ones and are not.</summary>
    [Theory]
    [InlineData("_rebuild_qtensor\0")]
    [InlineData("_rebuild_\u00adqtensor")]
    [InlineData("_rebuild_qtensor\u0301")]
    [InlineData("_rebuild_tensor_v2\0")]
    [InlineData("\u202e_rebuild_tensor_v2")]
    public void Refuses_what_only_looks_like_a_known_name(string name)
    {
        foreach (var pickle in new[] { New().Global("torch._utils", name), New().StackGlobal("torch._utils", name) })
        {
            var error = ErrorAssert.Throws(CheckpointErrorCode.UnsafePickle, () => pickle.Run(), "'some.pt'", "Nothing was executed");
            Assert.DoesNotContain("load it", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Refuses_a_global_even_where_it_is_never_called() => ErrorAssert.Throws(
        CheckpointErrorCode.UnsafePickle, () => New().Global("os", "system").Op(Opcode.Pop, Opcode.None).Run(), "'os.system'");

    [Theory]
    [InlineData("torch._utils", "_rebuild_qtensor")]
    [InlineData("torch._utils", "_rebuild_sparse_tensor")]
    [InlineData("torch._utils", "_rebuild_meta_tensor_no_storage")]
    [InlineData("torch._utils", "_rebuild_wrapper_subclass")]
    [InlineData("torch.distributed._tensor.api", "DTensor")]
    [InlineData("torch.distributed.tensor", "DTensor")]
    [InlineData("torch.distributed._shard.sharded_tensor.api", "ShardedTensor")]
    public void Refuses_other_kinds_of_tensors_by_name(string module, string name) => ErrorAssert.Throws(
        CheckpointErrorCode.UnsupportedTensor, () => New().Global(module, name).Run(), "'some.pt'", $"'{module}.{name}'");

    [Fact]
    public void Refuses_INST_by_name() => ErrorAssert.Throws(
        CheckpointErrorCode.UnsafePickle, () => New().Op(Opcode.Mark, Opcode.Inst).Raw("os\nsystem\n"u8).Run(), "'os.system'");

    [Fact]
    public void Refuses_NEWOBJ_EX() => ErrorAssert.Throws(
        CheckpointErrorCode.UnsafePickle,
        () => New().Global("collections", "OrderedDict").Op(Opcode.EmptyTuple, Opcode.EmptyDict, Opcode.NewObjEx).Run(),
        "NewObjEx");

    [Fact]
    public void Refuses_the_extension_registry()
    {
        ErrorAssert.Throws(CheckpointErrorCode.UnsafePickle, () => New().OpWith(Opcode.Ext1, 1).Run(), "Ext1");
        ErrorAssert.Throws(CheckpointErrorCode.UnsafePickle, () => New().OpWith(Opcode.Ext2, 1, 0).Run(), "Ext2");
        ErrorAssert.Throws(CheckpointErrorCode.UnsafePickle, () => New().OpWith(Opcode.Ext4, 1, 0, 0, 0).Run(), "Ext4");
    }

    [Theory]
    [InlineData((byte)Opcode.EmptyTuple)]
    [InlineData((byte)Opcode.EmptyList)]
    [InlineData((byte)Opcode.None)]
    public void Refuses_to_set_the_state_of_other_objects(byte target) => ErrorAssert.Throws(
        CheckpointErrorCode.UnsafePickle, () => New().Op((Opcode)target).Op(Opcode.EmptyDict, Opcode.Build).Run(), "sets the state");

    [Fact]
    public void Refuses_to_set_the_state_of_a_class() => ErrorAssert.Throws(
        CheckpointErrorCode.UnsafePickle,
        () => New().Global("collections", "OrderedDict").Op(Opcode.EmptyDict, Opcode.Build).Run(),
        "sets the state");

    private static PickleBuilder New() => new PickleBuilder().OpWith(Opcode.Proto, 2);
}
