using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

/// <summary>To remember only what is used again is the same as to remember all.</summary>
public class PickleRecallsTests
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(1000, 0)]
    [InlineData(64, 63)]
    public void A_number_may_lie_behind_a_gap(uint number, uint other)
    {
        var pickle = new PickleBuilder().OpWith(Opcode.Proto, 2).Text("a").OpWith(Opcode.LongBinPut, BitConverter.GetBytes(number)).Text("b").OpWith(Opcode.LongBinPut, BitConverter.GetBytes(other))
            .OpWith(Opcode.LongBinGet, BitConverter.GetBytes(number)).OpWith(Opcode.LongBinGet, BitConverter.GetBytes(other)).Op(Opcode.Tuple2).Stop();
        var recalls = PickleRecalls.Find(pickle);

        Assert.Equal(2, recalls.Count);
        Assert.Equal(number < other ? (0, 1) : (1, 0), (recalls.PlaceOf(number), recalls.PlaceOf(other)));
        Assert.Equal(-1, recalls.PlaceOf(number + 1));
        Assert.Equal(-1, recalls.PlaceOf(uint.MaxValue));
    }

    [Fact]
    public void Nothing_is_recalled_from_where_opcodes_end()
    {
        Assert.Equal(0, PickleRecalls.Find([]).Count);
        Assert.Equal(0, PickleRecalls.Find([(byte)Opcode.Stop, (byte)Opcode.BinGet, 0]).Count);
        Assert.Equal(0, PickleRecalls.Find([(byte)Opcode.BinGet]).Count);
        Assert.Equal(0, PickleRecalls.Find([(byte)Opcode.LongBinGet, 0, 0, 0]).Count);
        Assert.Equal(0, PickleRecalls.Find([(byte)Opcode.BinUnicode8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, (byte)Opcode.BinGet, 0]).Count);
        Assert.Equal(0, PickleRecalls.Find([(byte)Opcode.Global, (byte)Opcode.BinGet, 0, (byte)'\n']).Count);
    }

    [Fact]
    [External]
    public void Pickles_of_Python_come_out_the_same_at_whatever_byte_they_end()
    {
        var pickles = PyTorch.Ask(
            """
            import pickle, random

            def make(depth, known):
                kind = rng.randrange(12 if depth else 6)
                if kind == 0 and known: return rng.choice(known)
                if kind < 3: value = rng.choice([None, True, 1, 300, 70000, -5, 2**40, 1.5])
                elif kind < 6: value = 'x' * rng.choice([1, 5, 300]) + str(rng.randrange(20))
                elif kind < 8: value = [make(depth - 1, known) for _ in range(rng.randrange(6))]
                elif kind < 10: value = tuple(make(depth - 1, known) for _ in range(rng.randrange(6)))
                else: value = {str(i) + 'key': make(depth - 1, known) for i in range(rng.randrange(12))}
                known.append(value)
                return value

            for seed in range(150):
                rng = random.Random(seed)
                known = []
                value = [make(4, known) for _ in range(8)]
                for protocol in (2, 3, 4, 5): print(pickle.dumps(value, protocol).hex())
            """).Split('\n');
        var recalled = 0;

        foreach (var pickle in pickles.Where(line => line.Length > 0).Select(Convert.FromHexString))
        {
            recalled += PickleRecalls.Find(pickle).Count;
            Assert.Equal(Run(pickle, remembersAll: true), Run(pickle, remembersAll: false));

            if (pickle.Length < 400)
            {
                for (var length = 0; length < pickle.Length; length++)
                {
                    Assert.Equal(Run(pickle[..length], remembersAll: true), Run(pickle[..length], remembersAll: false));
                }
            }
        }

        Assert.True(recalled > 1000, $"{recalled}");
    }

    [Fact]
    public void Unknown_opcodes_are_refused_in_the_same_way()
    {
        for (var opcode = 0; opcode < 256; opcode++)
        {
            byte[] pickle = [0x80, 2, (byte)'N', (byte)'q', 7, (byte)opcode, (byte)'h', 7, 0, 0, 0, 0, 0, 0, (byte)'.'];
            Assert.Equal(Run(pickle, remembersAll: true), Run(pickle, remembersAll: false));
        }
    }

    /// <summary>Only of a whole pickle in memory is it known what it recalls.</summary>
    private static string Run(byte[] pickle, bool remembersAll)
    {
        var source = new MemorySource(pickle);
        using var reader = source.Open();
        var bytes = remembersAll ? new PickleBytes(source, reader) : new PickleBytes(pickle, source.Name);

        try
        {
            return PickleText.Show(Unpickled.Read(bytes, new PickleBudget(source.Name), CancellationToken.None).Content);
        }
        catch (CheckpointException e)
        {
            return e.Message;
        }
    }
}
