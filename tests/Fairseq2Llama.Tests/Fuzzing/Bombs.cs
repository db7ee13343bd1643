using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Files that are well formed and ask for much: of everything that a few bytes can ask for again, as often as some 100 KB can.</summary>
internal static class Bombs
{
    private const int MaxCount = 1 << 14;

    public static byte[] Make(Random random)
    {
        var count = random.Next(1, MaxCount);
        var pickle = new PickleBuilder().OpWith(Opcode.Proto, 2);
        var zip = new ZipBuilder();

        switch (random.Next(9))
        {
            case 0:
                AddViews(pickle, count, random);
                break;
            case 1:
                pickle.Op(Opcode.EmptyTuple).Repeat(count, part => part.Op(Opcode.Dup, Opcode.Tuple2));
                break;
            case 2:
                // Each list holds the one before as often as the pickle is long.
                pickle.Op(Opcode.EmptyList).Repeat(random.Next(1, 100), part =>
                    part.OpWith(Opcode.BinPut, 0).Op(Opcode.Pop, Opcode.Mark).Repeat(count / 100, item => item.OpWith(Opcode.BinGet, 0)).Op(Opcode.List));
                break;
            case 3:
                pickle.Op(Opcode.EmptyDict).Text(new string('k', TensorLimits.MaxNameLength)).OpWith(Opcode.BinPut, 0).Op(Opcode.None, Opcode.SetItem)
                    .Repeat(count, part => part.OpWith(Opcode.BinGet, 0).Op(Opcode.None, Opcode.SetItem));
                break;
            case 4:
                AddDictsOfOneList(pickle, count, random);
                break;
            case 5:
                pickle.Repeat(count, part => part.Op(Opcode.EmptyDict).Text("k").Op(Opcode.None, Opcode.SetItem)).Op(Opcode.None);
                break;
            case 6:
                pickle.Op(Opcode.None).Repeat(count, part => part.OpWith(Opcode.LongBinPut, PickleBuilder.LittleEndian(random.Next(4 * count))));
                break;
            case 7:
                AddDottedNames(pickle, Math.Max(count / 100, 1), random);
                break;
            default:
                AddViews(pickle, 1, random);
                var prefix = new string('p', random.Next(200));
                Enumerable.Range(0, count).ToList().ForEach(number => zip.Add($"{prefix}{number}", []));
                break;
        }

        return zip.Add("model/data.pkl", pickle.Stop()).Add("model/data/0", new byte[24]).Add("model/version", "3\n"u8).Build();
    }

    /// <summary>Tensors that share everything but a name and, half of the time, a stride that means nothing.</summary>
    private static void AddViews(PickleBuilder pickle, int count, Random random)
    {
        var ones = new long[random.Next(TensorLimits.MaxDims + 1)];
        Array.Fill(ones, 1);
        var areEqual = random.Next(2) == 0;

        pickle.Global("torch._utils", "_rebuild_tensor").OpWith(Opcode.BinPut, 0)
            .Storage("FloatStorage", "0", 6).OpWith(Opcode.BinPut, 1)
            .Integers(ones).OpWith(Opcode.BinPut, 2).Op(Opcode.Pop, Opcode.Pop, Opcode.Pop, Opcode.EmptyDict, Opcode.Mark);

        for (var i = 0; i < count; i++)
        {
            pickle.Text($"x.{i}").OpWith(Opcode.BinGet, 0).Op(Opcode.Mark).OpWith(Opcode.BinGet, 1).OpWith(Opcode.BinInt1, 0);
            _ = areEqual ? pickle.OpWith(Opcode.BinGet, 2).OpWith(Opcode.BinGet, 2) : pickle.Integers(1).Integers(i);
            pickle.Op(Opcode.Tuple, Opcode.Reduce);
        }

        pickle.Op(Opcode.SetItems);
    }

    private static void AddDictsOfOneList(PickleBuilder pickle, int count, Random random)
    {
        pickle.Op(Opcode.EmptyList, Opcode.Mark);

        for (var i = 0; i < count; i++)
        {
            pickle.Text($"{i}").Op(Opcode.None, Opcode.Tuple2);
        }

        pickle.Op(Opcode.Appends, Opcode.Tuple1).OpWith(Opcode.BinPut, 0).Global("collections", "OrderedDict").OpWith(Opcode.BinPut, 1)
            .Repeat(random.Next(1, 1000), part => part.OpWith(Opcode.BinGet, 1).OpWith(Opcode.BinGet, 0).Op(Opcode.Reduce));
    }

    private static void AddDottedNames(PickleBuilder pickle, int count, Random random)
    {
        string[] pieces = [".", "module.", "_orig_mod.", "_fsdp_wrapped_module.", "decoder.layers.", "0.", "99999999999."];
        pickle.Op(Opcode.EmptyDict, Opcode.Mark);

        for (var i = 0; i < count; i++)
        {
            var piece = pieces[random.Next(pieces.Length)];
            var name = string.Concat(Enumerable.Repeat(piece, 1000 / piece.Length)) + i;
            pickle.Text(name).Tensor(part => part.Storage("FloatStorage", "0", 6), 0, [1], [1]);
        }

        pickle.Op(Opcode.SetItems);
    }
}
