using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

/// <summary>The machine against Python's own pickles.</summary>
[External]
public class PythonPickleTests
{
    [Fact]
    public void Reads_every_opcode_that_Python_writes()
    {
        var lines = PyTorch.Ask(
            PickleText.PythonShow +
            """

            import collections, pickle, pickletools, sys

            ordered = collections.OrderedDict([("a", 1), ("b", (2, 3))])
            ordered._metadata = {"version": 1}
            twice = ["the same list"]
            in_itself = []
            in_itself.append(in_itself)
            dict_in_itself = {}
            dict_in_itself["self"] = dict_in_itself
            # Python learns that a tuple holds itself when it has pushed its items, and takes them back with POP and POP_MARK.
            short_recursive = ([],)
            short_recursive[0].append(short_recursive)
            long_recursive = ([], 1, 2, 3, 4)
            long_recursive[0].append(long_recursive)
            values = [
                None, True, False,
                0, 1, 255, 256, 65535, 65536, 2**31 - 1, -1, -128, -2**31,
                0.0, -0.0, 1.5, 1e300, float("inf"), float("nan"),
                "", "text", "ä€😀", "x" * 300,
                (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((), ((),)),
                [], [1], [1, 2], list(range(1500)),
                {}, {"a": 1}, {"a": 1, "b": [2]}, {i: str(i) for i in range(300)}, {None: 1, (1, 2): 2, 2.5: 3},
                ordered, collections.OrderedDict(), {1, 2, 3}, set(), 1 + 2j,
                [twice, twice, twice], in_itself, dict_in_itself, short_recursive, long_recursive,
            ]
            modern = [b"", b"bytes", b"y" * 300, frozenset([1, 2]), frozenset()]
            names = set()
            for protocol in (2, 3, 4, 5):
                for value in values + (modern if protocol >= 4 else []) + ([bytearray(b"array")] if protocol == 5 else []):
                    # The two picklers of Python make different choices, for instance of what to memoize and how.
                    for dumps in (pickle.dumps, pickle._dumps):
                        data = dumps(value, protocol)
                        names.update(opcode.name for opcode, _, _ in pickletools.genops(data))
                        print(protocol, data.hex(), show(value), sep="\t")
            print(*sorted(names), sep="\t")
            """).Split('\n');

        foreach (var line in lines[..^1])
        {
            var fields = line.Split('\t');
            var bytes = Convert.FromHexString(fields[1]);
            var unpickled = PickleBuilder.Run(bytes, out var length);

            Assert.Equal((fields[0], fields[2]), (fields[0], PickleText.Show(unpickled.Content)));
            Assert.Equal(bytes.Length, length);
        }

        string[] expectedOpcodes =
        [
            "ADDITEMS", "APPEND", "APPENDS", "BINBYTES", "BINFLOAT", "BINGET", "BININT", "BININT1", "BININT2", "BINPUT", "BINUNICODE",
            "BUILD", "BYTEARRAY8", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_SET", "EMPTY_TUPLE", "FRAME", "FROZENSET", "GLOBAL", "LONG_BINPUT",
            "MARK", "MEMOIZE", "NEWFALSE", "NEWTRUE", "NONE", "POP", "POP_MARK", "PROTO", "REDUCE", "SETITEM", "SETITEMS",
            "SHORT_BINBYTES", "SHORT_BINUNICODE", "STACK_GLOBAL", "STOP", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
        ];

        Assert.Empty(expectedOpcodes.Except(lines[^1].Split('\t')));
    }

    [Fact]
    public void Opcodes_have_the_numbers_that_Python_gives_them()
    {
        var codes = PyTorch.Ask("import pickletools\nfor o in pickletools.opcodes: print(o.name.replace('_', ''), ord(o.code))")
            .Split('\n').Select(line => line.Split(' ')).ToDictionary(parts => parts[0], parts => parts[1]);

        foreach (var opcode in Enum.GetValues<Opcode>())
        {
            Assert.Equal(codes[opcode.ToString().ToUpperInvariant()], $"{(byte)opcode}");
        }
    }
}
