using Fairseq2Llama.Distributed;
using Fairseq2Llama.Distributed.Metadata;
using Fairseq2Llama.Tests.Fuzzing;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Distributed;

/// <summary>Metadata that wants more than to be read.</summary>
public class HostileMetadataTests
{
    private const string Classes = "torch.distributed.checkpoint.metadata";

    private static readonly Dictionary<string, (PickleBuilder Pickle, CheckpointErrorCode Code)> Known = new()
    {
        ["os.system"] = (New().Global("posix", "system").Text("id").Op(Opcode.Tuple1, Opcode.Reduce), CheckpointErrorCode.UnsafePickle),
        ["eval"] = (New().StackGlobal("builtins", "eval").Text("1").Op(Opcode.Tuple1, Opcode.Reduce), CheckpointErrorCode.UnsafePickle),
        ["torch.load"] = (New().Global("torch", "load"), CheckpointErrorCode.UnsafePickle),
        ["a tensor"] = (New().Global("torch._utils", "_rebuild_tensor_v2"), CheckpointErrorCode.UnsafePickle),
        ["another class of the package"] = (New().Global("torch.distributed.checkpoint.filesystem", "FileSystemReader"), CheckpointErrorCode.UnsafePickle),
        ["a name with a dot"] = (New().StackGlobal(Classes, "Metadata.__init__.__globals__"), CheckpointErrorCode.UnsafePickle),
        ["getattr of a class"] = (Attribute(pickle => pickle.Global(Classes, "Metadata"), "TORCH_CONTIGUOUS_FORMAT"), CheckpointErrorCode.UnsafePickle),
        ["getattr of another member"] = (Attribute(pickle => pickle.Global(Classes, "_MEM_FORMAT_ENCODING"), "__class__"), CheckpointErrorCode.UnsafePickle),
        ["getattr of an instance"] = (Attribute(pickle => pickle.Text("x"), "TORCH_CONTIGUOUS_FORMAT"), CheckpointErrorCode.UnsafePickle),
        ["getattr of getattr"] = (Attribute(pickle => pickle.Global("builtins", "getattr"), "TORCH_CONTIGUOUS_FORMAT"), CheckpointErrorCode.UnsafePickle),
        ["a class with arguments"] = (New().Global(Classes, "Metadata").Text("x").Op(Opcode.Tuple1, Opcode.Reduce), CheckpointErrorCode.CheckpointCorrupt),
        ["a call of a dtype"] = (New().Global("torch", "float32").Op(Opcode.EmptyTuple, Opcode.Reduce), CheckpointErrorCode.CheckpointCorrupt),
        ["a call of an object"] = (New().Global(Classes, "Metadata").Op(Opcode.EmptyTuple, Opcode.NewObj, Opcode.EmptyTuple, Opcode.Reduce), CheckpointErrorCode.CheckpointCorrupt),
        ["INST"] = (New().Op(Opcode.Mark, Opcode.Inst).Raw("posix\nsystem\n"u8), CheckpointErrorCode.UnsafePickle),
        ["OBJ"] = (New().Op(Opcode.Mark).Global(Classes, "Metadata").Op(Opcode.Obj), CheckpointErrorCode.UnsafePickle),
        ["NEWOBJ_EX"] = (New().Global(Classes, "Metadata").Op(Opcode.EmptyTuple, Opcode.EmptyDict, Opcode.NewObjEx), CheckpointErrorCode.UnsafePickle),
        ["EXT1"] = (New().OpWith(Opcode.Ext1, 1), CheckpointErrorCode.UnsafePickle),
        ["the state of a list"] = (New().Op(Opcode.EmptyList, Opcode.EmptyDict, Opcode.Build), CheckpointErrorCode.UnsafePickle),
        ["the state of a class"] = (New().Global(Classes, "Metadata").Op(Opcode.EmptyDict, Opcode.Build), CheckpointErrorCode.UnsafePickle),
        ["a persistent id"] = (New().Text("x").Op(Opcode.BinPersId), CheckpointErrorCode.CheckpointCorrupt),
        ["a negative size"] = (MetadataBuilder.Size(New(), -1), CheckpointErrorCode.CheckpointCorrupt),
        ["a size of texts"] = (New().Global("torch", "Size").Text("x").Op(Opcode.Tuple1, Opcode.Tuple1, Opcode.Reduce), CheckpointErrorCode.CheckpointCorrupt),
        ["a size of 65 dims"] = (MetadataBuilder.Size(New(), new long[65]), CheckpointErrorCode.CheckpointCorrupt),
        ["a memo index of 4 billion"] = (New().Op(Opcode.None).OpWith(Opcode.LongBinPut, 0xff, 0xff, 0xff, 0xff), CheckpointErrorCode.CheckpointCorrupt),
        ["a recalled index of 4 billion"] = (New().OpWith(Opcode.LongBinGet, 0xff, 0xff, 0xff, 0xff), CheckpointErrorCode.CheckpointCorrupt),
        ["a list"] = (New().Op(Opcode.EmptyList), CheckpointErrorCode.CheckpointCorrupt),
        ["a class"] = (New().Global(Classes, "Metadata"), CheckpointErrorCode.CheckpointCorrupt),
        ["an attribute that is no text"] = (
            New().Global(Classes, "Metadata").Op(Opcode.EmptyTuple, Opcode.NewObj, Opcode.EmptyDict, Opcode.None, Opcode.None, Opcode.SetItem, Opcode.Build),
            CheckpointErrorCode.CheckpointCorrupt),
        ["items that are a list"] = (Attributes(pickle => pickle.Text("storage_data").Op(Opcode.EmptyList)), CheckpointErrorCode.CheckpointCorrupt),
    };

    public static TheoryData<string> Kinds => [.. Known.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Is_refused(string what) => ErrorAssert.Throws(Known[what].Code, () => Read(Known[what].Pickle.Stop()), "memory.pt");

    [Fact]
    public void A_dict_in_itself_is_none_of_a_tensor()
    {
        var pickle = Attributes(all => all.Text("state_dict_metadata").Op(Opcode.EmptyDict).OpWith(Opcode.BinPut, 9).Text("norm.weight").OpWith(Opcode.BinGet, 9).Op(Opcode.SetItem));
        var metadata = Read(pickle.Stop());

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => _ = new MetadataIndex(new ObjectStore().Folder, "memory.pt", [metadata]), "norm.weight");
    }

    /// <summary>Each costs six bytes and could take five hundred.</summary>
    [Fact]
    public void A_tuple_as_a_million_sizes_takes_no_memory()
    {
        const int Count = 300_000;
        var pickle = Attributes(all => all.Text("planner_data").Op(Opcode.EmptyList).Global("torch", "Size").OpWith(Opcode.BinPut, 1).Op(Opcode.Pop)
            .Integers(new long[64]).Op(Opcode.Tuple1).OpWith(Opcode.BinPut, 2).Op(Opcode.Pop, Opcode.Mark)
            .Repeat(Count, part => part.OpWith(Opcode.BinGet, 1).OpWith(Opcode.BinGet, 2).Op(Opcode.Reduce))
            .Op(Opcode.Appends)).Stop();

        var before = GC.GetAllocatedBytesForCurrentThread();
        Read(pickle);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, ((long)Fuzzer.FixedMebibytes << 20) + (16L * pickle.Length));
    }

    [Fact]
    public void Bytes_make_few_values()
    {
        var pickle = Attributes(all => all.Text("planner_data").Op(Opcode.Mark).Repeat(5_000_000, part => part.Op(Opcode.None)).Op(Opcode.List)).Stop();

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read(pickle), "values");
    }

    [Fact]
    public void An_empty_file_is_damaged() => ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read([]), "empty");

    internal static SavedMetadata Read(byte[] pickle) => MetadataFile.Read(new MemorySource(pickle), TestContext.Current.CancellationToken);

    private static PickleBuilder New() => new PickleBuilder().OpWith(Opcode.Proto, 4);

    private static PickleBuilder Attributes(Action<PickleBuilder> attributes)
    {
        var pickle = New();
        MetadataBuilder.Object(pickle, Classes, "Metadata", attributes);
        return pickle;
    }

    private static PickleBuilder Attribute(Action<PickleBuilder> target, string name)
    {
        var pickle = New().Global("builtins", "getattr");
        target(pickle);
        return pickle.Text(name).Op(Opcode.Tuple2, Opcode.Reduce);
    }
}
