using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

public class MalformedPickleTests
{
    private static readonly Dictionary<string, PickleBuilder> Known = new()
    {
        ["nothing on the stack"] = New(),
        ["two things on the stack"] = New().Op(Opcode.None, Opcode.None),
        ["POP of nothing"] = New().Op(Opcode.Pop),
        ["DUP of nothing"] = New().Op(Opcode.Dup),
        ["DUP of a mark"] = New().Op(Opcode.None, Opcode.Mark, Opcode.Dup),
        ["TUPLE1 of nothing"] = New().Op(Opcode.Tuple1),
        ["TUPLE2 of one"] = New().Op(Opcode.None, Opcode.Tuple2),
        ["TUPLE3 of two"] = New().Op(Opcode.None, Opcode.None, Opcode.Tuple3),
        ["TUPLE2 across a mark"] = New().Op(Opcode.None, Opcode.Mark, Opcode.None, Opcode.Tuple2),
        ["TUPLE without a mark"] = New().Op(Opcode.None, Opcode.Tuple),
        ["LIST without a mark"] = New().Op(Opcode.List),
        ["DICT without a mark"] = New().Op(Opcode.Dict),
        ["DICT of an odd number"] = New().Op(Opcode.Mark, Opcode.None, Opcode.Dict),
        ["FROZENSET without a mark"] = New().Op(Opcode.FrozenSet),
        ["POP_MARK without a mark"] = New().Op(Opcode.None, Opcode.PopMark),
        ["APPEND of nothing"] = New().Op(Opcode.EmptyList, Opcode.Append),
        ["APPEND to no list"] = New().Op(Opcode.EmptyTuple, Opcode.None, Opcode.Append),
        ["APPENDS without a mark"] = New().Op(Opcode.EmptyList, Opcode.None, Opcode.Appends),
        ["APPENDS to no list"] = New().Op(Opcode.EmptyDict, Opcode.Mark, Opcode.None, Opcode.Appends),
        ["APPENDS to nothing"] = New().Op(Opcode.Mark, Opcode.None, Opcode.Appends),
        ["APPENDS to a set"] = New().Op(Opcode.EmptySet, Opcode.Mark, Opcode.None, Opcode.Appends),
        ["ADDITEMS to a list"] = New().Op(Opcode.EmptyList, Opcode.Mark, Opcode.None, Opcode.AddItems),
        ["ADDITEMS to a frozenset"] = New().Op(Opcode.Mark, Opcode.FrozenSet, Opcode.Mark, Opcode.None, Opcode.AddItems),
        ["ADDITEMS to no set"] = New().Op(Opcode.EmptyDict, Opcode.Mark, Opcode.None, Opcode.AddItems),
        ["SETITEM to no dict"] = New().Op(Opcode.EmptyList, Opcode.None, Opcode.None, Opcode.SetItem),
        ["SETITEM of one"] = New().Op(Opcode.EmptyDict, Opcode.None, Opcode.SetItem),
        ["SETITEMS of an odd number"] = New().Op(Opcode.EmptyDict, Opcode.Mark, Opcode.None, Opcode.SetItems),
        ["SETITEMS without a mark"] = New().Op(Opcode.EmptyDict, Opcode.None, Opcode.None, Opcode.SetItems),
        ["SETITEMS to nothing"] = New().Op(Opcode.Mark, Opcode.None, Opcode.None, Opcode.SetItems),
        ["PUT of nothing"] = New().OpWith(Opcode.BinPut, 0),
        ["MEMOIZE of nothing"] = New().Op(Opcode.Memoize),
        ["GET of what was never put"] = New().OpWith(Opcode.BinGet, 0),
        ["LONG_BINGET of what was never put"] = New().Op(Opcode.None).OpWith(Opcode.BinPut, 0).OpWith(Opcode.LongBinGet, 0xff, 0xff, 0xff, 0xff),
        ["BUILD of nothing"] = New().Op(Opcode.Build),
        ["BUILD without a state"] = New().Op(Opcode.EmptyDict, Opcode.Build),
        ["REDUCE of what is no function"] = New().Op(Opcode.None, Opcode.EmptyTuple, Opcode.Reduce),
        ["REDUCE of a text that names a function"] = New().Text("collections.OrderedDict").Op(Opcode.EmptyTuple, Opcode.Reduce),
        ["REDUCE with no tuple"] = New().Global("collections", "OrderedDict").Op(Opcode.EmptyList, Opcode.Reduce),
        ["NEWOBJ of what is no class"] = New().Op(Opcode.None, Opcode.EmptyTuple, Opcode.NewObj),
        ["a call of a dtype"] = New().Global("torch", "float32").Op(Opcode.EmptyTuple, Opcode.Reduce),
        ["a call of a storage class"] = New().Global("torch", "FloatStorage").Op(Opcode.EmptyTuple, Opcode.Reduce),
        ["a call of a tensor class"] = New().Global("torch", "Tensor").Op(Opcode.EmptyTuple, Opcode.Reduce),
        ["a set of what is no list"] = New().Global("builtins", "set").Integer(3).Op(Opcode.Tuple1, Opcode.Reduce),
        ["an OrderedDict of triples"] = New().Global("collections", "OrderedDict")
            .Op(Opcode.EmptyList).Integers(1, 2, 3).Op(Opcode.Append, Opcode.Tuple1, Opcode.Reduce),
        ["an OrderedDict of a number"] = New().Global("collections", "OrderedDict").Integer(1).Op(Opcode.Tuple1, Opcode.Reduce),
        ["an OrderedDict of None"] = New().Global("collections", "OrderedDict").Op(Opcode.None, Opcode.Tuple1, Opcode.Reduce),
        ["an OrderedDict of two lists"] = New().Global("collections", "OrderedDict")
            .Op(Opcode.EmptyList, Opcode.EmptyList, Opcode.Tuple2, Opcode.Reduce),
        ["an OrderedDict of numbers"] = New().Global("collections", "OrderedDict")
            .Op(Opcode.EmptyList).Integer(1).Op(Opcode.Append, Opcode.Tuple1, Opcode.Reduce),
        ["STACK_GLOBAL of what is no text"] = New().Text("builtins").Integer(1).Op(Opcode.StackGlobal),
        ["STACK_GLOBAL of one text"] = New().Text("builtins").Op(Opcode.StackGlobal),
        ["a persistent id that is a text"] = New().Text("0").Op(Opcode.BinPersId),
        ["a persistent id of nothing"] = New().Op(Opcode.BinPersId),
        ["a persistent id of another kind"] = New().Op(Opcode.Mark).Text("module").Global("torch", "FloatStorage").Text("0").Text("cpu").Integer(1)
            .Op(Opcode.Tuple, Opcode.BinPersId),
        ["a storage whose class is none"] = New().Op(Opcode.Mark).Text("storage").Global("torch", "float32").Text("0").Text("cpu").Integer(1)
            .Op(Opcode.Tuple, Opcode.BinPersId),
        ["a storage whose key is a number"] = New().Op(Opcode.Mark).Text("storage").Global("torch", "FloatStorage").Integer(0).Text("cpu").Integer(1)
            .Op(Opcode.Tuple, Opcode.BinPersId),
        ["a storage of a negative length"] = New().Storage("FloatStorage", "0", -1),
        ["a storage of too many items"] = New().Op(Opcode.Mark).Text("storage").Global("torch", "FloatStorage").Text("0").Text("cpu").Integer(1)
            .Op(Opcode.None, Opcode.None, Opcode.Tuple, Opcode.BinPersId),
        ["an opcode that does not exist"] = New().Raw(0xff),
        ["an opcode of protocol 0"] = New().Raw("I1\n"u8),
        ["an out-of-band buffer"] = New().Raw(0x97),
        ["the protocol 1"] = new PickleBuilder().OpWith(Opcode.Proto, 1).Op(Opcode.None),
        ["the protocol 6"] = new PickleBuilder().OpWith(Opcode.Proto, 6).Op(Opcode.None),
        ["text that is not UTF-8"] = New().OpWith(Opcode.ShortBinUnicode, 1, 0xff),
        ["a key of Python 2 that is not UTF-8"] = New().OpWith(Opcode.ShortBinString, 2, 0xc3, 0x28),
        ["a surrogate in UTF-8"] = New().OpWith(Opcode.ShortBinUnicode, 3, 0xed, 0xa0, 0x80),
        ["a global that is not UTF-8"] = New().Op(Opcode.Global).Raw(0xff, (byte)'\n', (byte)'x', (byte)'\n'),
        ["a global that never ends"] = New().Op(Opcode.Global).Raw("torch\nFloatStorage"u8),
        ["a text longer than the pickle"] = New().OpWith(Opcode.BinUnicode, 100, 0, 0, 0),
        ["a text of 4 GB"] = New().OpWith(Opcode.BinUnicode, 0xff, 0xff, 0xff, 0xff),
        ["a text of negative length"] = New().OpWith(Opcode.BinString, 0xff, 0xff, 0xff, 0xff),
        ["a text of 63 bits"] = New().OpWith(Opcode.BinUnicode8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
        ["a text of 64 bits"] = New().OpWith(Opcode.BinUnicode8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
        ["bytes of 64 bits"] = New().OpWith(Opcode.BinBytes8, 0, 0, 0, 0, 0, 0, 0, 0x80),
        ["a bytearray of 63 bits"] = New().OpWith(Opcode.ByteArray8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
        ["bytes of 4 GB"] = New().OpWith(Opcode.BinBytes, 0xff, 0xff, 0xff, 0xff),
        ["an integer that ends too early"] = New().OpWith(Opcode.Long1, 255).Raw(new byte[17]),
        ["an integer of 2 GB"] = New().OpWith(Opcode.Long4, 0xff, 0xff, 0xff, 0x7f),
        ["an integer of negative length"] = New().OpWith(Opcode.Long4, 0xff, 0xff, 0xff, 0xff),
    };

    public static TheoryData<string> Kinds => [.. Known.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Calls_damaged_a_pickle_with(string what) =>
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Known[what].Run(), "'some.pt'", "pickle");

    [Fact]
    public void Calls_damaged_a_pickle_that_ends_too_early()
    {
        // One of each kind of argument, so that each is cut in its middle.
        var whole = New()
            .Op(Opcode.Mark)
            .OpWith(Opcode.BinInt, 1, 2, 3, 4).OpWith(Opcode.BinInt1, 1).OpWith(Opcode.BinInt2, 1, 2).OpWith(Opcode.Long1, 2, 1, 2)
            .OpWith(Opcode.Long4, 2, 0, 0, 0, 1, 2).OpWith(Opcode.BinFloat, 1, 2, 3, 4, 5, 6, 7, 8).Text("text").OpWith(Opcode.ShortBinUnicode, 1, 65)
            .OpWith(Opcode.BinUnicode8, 1, 0, 0, 0, 0, 0, 0, 0, 65).OpWith(Opcode.ShortBinBytes, 1, 1).OpWith(Opcode.BinBytes, 1, 0, 0, 0, 1)
            .OpWith(Opcode.BinPut, 1).OpWith(Opcode.LongBinPut, 2, 0, 0, 0).OpWith(Opcode.BinGet, 1).OpWith(Opcode.LongBinGet, 2, 0, 0, 0)
            .OpWith(Opcode.Frame, 1, 0, 0, 0, 0, 0, 0, 0).Global("torch", "float32").StackGlobal("torch", "Size").Storage("FloatStorage", "0", 1)
            .Op(Opcode.Tuple)
            .Stop();

        Assert.NotNull(PickleBuilder.Run(whole, out _).Content);

        for (var length = 0; length < whole.Length; length++)
        {
            ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => PickleBuilder.Run(whole[..length], out _), "'some.pt'");
        }
    }

    private static PickleBuilder New() => new PickleBuilder().OpWith(Opcode.Proto, 2);
}
