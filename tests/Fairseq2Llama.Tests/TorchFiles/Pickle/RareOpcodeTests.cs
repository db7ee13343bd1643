using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

/// <summary>Opcodes that are legal though no pickler of today's Python writes them for small objects.</summary>
public class RareOpcodeTests
{
    private static readonly Dictionary<string, (PickleBuilder Pickle, string Expected)> Known = new()
    {
        ["SHORT_BINSTRING, as Python 2 wrote"] = (New().OpWith(Opcode.ShortBinString, 3).Raw("key"u8), "str:6b6579"),
        ["BINSTRING, as Python 2 wrote"] = (New().OpWith(Opcode.BinString, 3, 0, 0, 0).Raw("key"u8), "str:6b6579"),
        ["BINUNICODE8"] = (New().OpWith(Opcode.BinUnicode8, 3, 0, 0, 0, 0, 0, 0, 0).Raw("key"u8), "str:6b6579"),
        ["BINBYTES8"] = (New().OpWith(Opcode.BinBytes8, 2, 0, 0, 0, 0, 0, 0, 0, 7, 8), "bytes:0708"),
        ["DUP"] = (New().OpWith(Opcode.BinInt1, 7).Op(Opcode.Dup, Opcode.Tuple2), "(7,7)"),
        ["LIST"] = (New().Op(Opcode.Mark).OpWith(Opcode.BinInt1, 7).Op(Opcode.None, Opcode.List), "[7,None]"),
        ["DICT"] = (New().Op(Opcode.Mark).OpWith(Opcode.BinInt1, 7).Op(Opcode.None, Opcode.Dict), "{7=None}"),
        ["an empty DICT"] = (New().Op(Opcode.Mark, Opcode.Dict), "{}"),
        ["LONG_BINGET"] = (
            New().OpWith(Opcode.BinInt1, 7).OpWith(Opcode.LongBinPut, 0, 0, 1, 0).Op(Opcode.Pop).OpWith(Opcode.LongBinGet, 0, 0, 1, 0), "7"),
        ["POP of a mark"] = (New().OpWith(Opcode.BinInt1, 7).Op(Opcode.Mark, Opcode.Pop), "7"),
        ["NEWOBJ"] = (New().Global("collections", "OrderedDict").Op(Opcode.EmptyTuple, Opcode.NewObj), "{}"),
        ["an OrderedDict of pairs, as Python 2 wrote"] = (
            New().Global("collections", "OrderedDict")
                .Op(Opcode.EmptyList, Opcode.EmptyList, Opcode.Mark).Text("a").OpWith(Opcode.BinInt1, 1).Op(Opcode.Appends, Opcode.Append)
                .Op(Opcode.Tuple1, Opcode.Reduce),
            "{str:61=1}"),
        ["torch.Size"] = (New().Global("torch", "Size").Integers(2, 3).Op(Opcode.Tuple1, Opcode.Reduce), "(2,3)"),
        ["a key twice"] = (
            New().Op(Opcode.EmptyDict, Opcode.Mark).Text("a").Integer(1).Text("b").Integer(2).Text("a").Integer(3).Op(Opcode.SetItems),
            "{str:61=3,str:62=2}"),
        ["a torch.device"] = (New().Global("torch", "device").Text("cuda").Op(Opcode.Tuple1, Opcode.Reduce), "opaque"),
        ["two PROTOs"] = (New().OpWith(Opcode.Proto, 2).OpWith(Opcode.Proto, 5).Op(Opcode.None), "None"),
        ["no PROTO"] = (new PickleBuilder().Op(Opcode.None), "None"),
    };

    public static TheoryData<string> Kinds => [.. Known.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Reads(string what)
    {
        var (pickle, expected) = Known[what];

        Assert.Equal(expected, PickleText.Show(pickle.Run().Content));
    }

    [Fact]
    public void Stops_at_STOP_whatever_follows()
    {
        var content = PickleBuilder.Run(New().Op(Opcode.NewTrue, Opcode.Stop).Raw(0xff, 0xff).ToArray(), out var length).Content;

        Assert.Equal((true, 4), (content, length));
    }

    private static PickleBuilder New() => new PickleBuilder().OpWith(Opcode.Proto, 2);
}
