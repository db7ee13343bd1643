using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

/// <summary>Pickles that would exhaust a careless reader: its stack or its memory.</summary>
public class PickleLimitTests
{
    private const int Depth = 100_000;
    private const int MaxValues = 2_000_000;

    [Theory]
    [InlineData("tuples")]
    [InlineData("lists")]
    [InlineData("dicts")]
    [InlineData("marks")]
    public void Takes_any_depth_of(string what)
    {
        var pickle = what switch
        {
            "tuples" => New().Op(Opcode.EmptyTuple).Repeat(Depth, p => p.Op(Opcode.Tuple1)),
            "lists" => New().Repeat(Depth, p => p.Op(Opcode.EmptyList)).Repeat(Depth - 1, p => p.Op(Opcode.Append)),
            "dicts" => New().Repeat(Depth, p => p.Op(Opcode.EmptyDict).Text("inner")).Op(Opcode.None).Repeat(Depth, p => p.Op(Opcode.SetItem)),
            _ => New().Repeat(Depth, p => p.Op(Opcode.Mark)).Repeat(Depth, p => p.Op(Opcode.Tuple)),
        };

        var file = Open(pickle.Stop());

        Assert.NotNull(file.Content);
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => StateDict.In(file), "memory.pt");
    }

    [Fact]
    public void A_deep_object_among_tensors_does_no_harm()
    {
        // As a value, as a key, and as what a tensor's metadata might be looked through for.
        var pickle = New()
            .Op(Opcode.EmptyTuple).Repeat(Depth, p => p.Op(Opcode.Tuple1)).OpWith(Opcode.BinPut, 0).Op(Opcode.Pop)
            .Op(Opcode.EmptyDict, Opcode.Mark)
            .Text("deep").OpWith(Opcode.BinGet, 0)
            .OpWith(Opcode.BinGet, 0).Text("under a deep key")
            .Text("weight").Tensor(storage => storage.Storage("ByteStorage", "0", 2), offset: 0, shape: [2], strides: [1])
            .Op(Opcode.SetItems);

        var state = StateDict.In(Open(pickle.Stop(), ("0", [1, 2])));

        Assert.Equal("weight", Assert.Single(state.Entries).Name);
        Assert.Equal(2, state.NonTensors.Count);
    }

    [Fact]
    public void Refuses_a_place_in_the_memo_that_is_far_from_the_others() => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt,
        () => Open(New().Op(Opcode.None).OpWith(Opcode.LongBinPut, 0, 0, 0, 0xff).Stop()),
        "makes more than 2000000 values");

    [Fact]
    public void An_object_may_hold_itself()
    {
        var pickle = New()
            .Op(Opcode.EmptyDict).OpWith(Opcode.BinPut, 0)
            .Text("model").OpWith(Opcode.BinGet, 0).Op(Opcode.SetItem)
            .Text("list").Op(Opcode.EmptyList).OpWith(Opcode.BinPut, 1).OpWith(Opcode.BinGet, 1).Op(Opcode.Append, Opcode.SetItem)
            .Text("weight").Tensor(storage => storage.Storage("ByteStorage", "0", 2), offset: 0, shape: [2], strides: [1]).Op(Opcode.SetItem);

        var file = Open(pickle.Stop(), ("0", [1, 2]));

        var dict = Assert.IsType<PickleDict>(file.Content);
        Assert.Same(dict, dict.Get("model"));
        var list = Assert.IsType<PickleList>(dict.Get("list"));
        Assert.Same(list, Assert.Single(list.Items));
        Assert.Equal("weight", Assert.Single(StateDict.In(file).Entries).Name);
    }

    [Fact]
    public void A_list_may_be_its_own_OrderedDict_pair()
    {
        // [list, list] where list is the very list of pairs: two items, both itself.
        var pickle = New()
            .Global("collections", "OrderedDict")
            .Op(Opcode.EmptyList).OpWith(Opcode.BinPut, 0)
            .OpWith(Opcode.BinGet, 0).Op(Opcode.Append).OpWith(Opcode.BinGet, 0).Op(Opcode.Append)
            .Op(Opcode.Tuple1, Opcode.Reduce);

        Assert.All(Assert.IsType<PickleDict>(pickle.Run().Content).Entries, entry => Assert.Same(entry.Key, entry.Value));
    }

    [Fact]
    public void Takes_as_many_values_as_a_large_model_needs()
    {
        var pickle = New().Op(Opcode.Mark).Repeat(MaxValues - 2, p => p.Op(Opcode.None)).Op(Opcode.Tuple);

        Assert.Equal(MaxValues - 2, Assert.IsType<PickleTuple>(pickle.Run().Content).Items.Length);
    }

    [Theory]
    [InlineData((byte)Opcode.EmptyTuple)]
    [InlineData((byte)Opcode.Mark)]
    public void Refuses_to_make_any_number_of_values(byte opcode)
    {
        var pickle = New().Repeat(MaxValues + 1, p => p.Op((Opcode)opcode));

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => pickle.Run(), "more than 2000000 values");
    }

    [Fact]
    public void Counts_the_bytes_of_all_tensors_together()
    {
        const int Enough = (int)(PickleBudget.MaxTotalTensorSize / PickleBudget.MaxTensorSize);

        TensorsOf(Enough).Run();
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => TensorsOf(Enough + 1).Run(), "more than 4503599627370496 bytes");

        static PickleBuilder TensorsOf(int count) => New().Op(Opcode.Mark)
            .Repeat(count, p => p.Tensor(storage => storage.Storage("ByteStorage", "0", 1), 0, [PickleBudget.MaxTensorSize], [0])).Op(Opcode.Tuple);
    }

    [Fact]
    public void Counts_what_was_thrown_away()
    {
        var pickle = New().Repeat(MaxValues + 1, p => p.Op(Opcode.EmptyList, Opcode.Pop));

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => pickle.Run(), "more than 2000000 values");
    }

    [Fact]
    public void Counts_all_pickles_of_a_file_together()
    {
        const int Half = (MaxValues / 2) + 1;

        var file = LegacyFile.OfOneStorage();
        file.Protocol = New().Op(Opcode.Mark).Repeat(Half, p => p.Op(Opcode.None)).Op(Opcode.PopMark).Integer(1001).Stop();
        file.Content = New().Op(Opcode.Mark).Repeat(Half, p => p.Op(Opcode.None)).Op(Opcode.Tuple).Stop();

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => TorchFile.Open(new MemorySource(file.Build())), "more than 2000000 values");
    }

    [Fact]
    public void Refuses_a_name_that_would_fill_the_screen() => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt,
        () => New().StackGlobal("os", new string('x', TensorLimits.MaxNameLength + 1)).Run(),
        "malformed");

    private static TorchFile Open(byte[] pickle, params ReadOnlySpan<(string Key, byte[] Data)> storages) =>
        TorchFile.Open(new MemorySource(ZipBuilder.TorchSave(pickle, storages).Build()));

    private static PickleBuilder New() => new PickleBuilder().OpWith(Opcode.Proto, 2);
}
