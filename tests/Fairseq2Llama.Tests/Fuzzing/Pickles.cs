using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Pickles out of opcodes that mostly follow each other as they may, about tensors that mostly could be.</summary>
internal static class Pickles
{
    private static readonly Opcode[] Plain =
    [
        Opcode.None, Opcode.NewTrue, Opcode.NewFalse, Opcode.Mark, Opcode.Pop, Opcode.PopMark, Opcode.Dup, Opcode.EmptyTuple, Opcode.Tuple1,
        Opcode.Tuple2, Opcode.Tuple3, Opcode.Tuple, Opcode.EmptyList, Opcode.EmptySet, Opcode.List, Opcode.FrozenSet, Opcode.Append, Opcode.Appends,
        Opcode.AddItems, Opcode.EmptyDict, Opcode.Dict, Opcode.SetItem, Opcode.SetItems, Opcode.Memoize, Opcode.BinPersId, Opcode.Reduce, Opcode.NewObj,
        Opcode.Build, Opcode.StackGlobal, Opcode.Obj, Opcode.NewObjEx, Opcode.Ext1, Opcode.Inst,
    ];

    private static readonly (string Module, string Name)[] Globals =
    [
        ("collections", "OrderedDict"), ("torch", "Size"), ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_tensor_v3"),
        ("torch._utils", "_rebuild_parameter"), ("torch._tensor", "_rebuild_from_type_v2"), ("torch", "FloatStorage"), ("torch", "float8_e5m2"),
        ("torch.storage", "UntypedStorage"), ("torch", "device"), ("builtins", "set"), ("_codecs", "encode"), ("os", "system"), ("torch._utils", "_rebuild_sparse_tensor"),
    ];

    private static readonly string[] Names =
        ["model", "model_key", "decoder.layers.0.ffn_layer_norm.weight", "final_proj.weight", "module._orig_mod.final_proj.weight", "storage", "cpu", "0", "", "\u0001", "x\nname"];

    /// <summary>Any opcode that has no arguments.</summary>
    public static Opcode PlainOpcode(Random random) => Plain[random.Next(Plain.Length)];

    /// <summary>A state dict with anything in between, in either container.</summary>
    public static byte[] MakeFile(Random random)
    {
        var pickle = new PickleBuilder().OpWith(Opcode.Proto, (byte)random.Next(2, 6));
        var isDict = random.Next(4) > 0;

        if (isDict)
        {
            pickle.Op(Opcode.EmptyDict, Opcode.Mark);
        }

        for (var parts = random.Next(1, 6); parts > 0; parts--)
        {
            AddPart(pickle, random);
        }

        var content = (isDict ? pickle.Op(Opcode.SetItems) : pickle).Stop();
        var data = new byte[random.Next(8) > 0 ? 24 : random.Next(100)];

        return random.Next(3) == 0
            ? new LegacyFile { Content = content, Keys = LegacyFile.KeyList("0"), Storages = [(data.Length / sizeof(float), data)] }.Build()
            : ZipBuilder.TorchSave(content, ("0", data)).Build();
    }

    private static void AddPart(PickleBuilder pickle, Random random)
    {
        switch (random.Next(20))
        {
            case < 14:
                AddTensor(pickle.Text(random.Next(4) > 0 ? $"decoder.layers.{random.Next(3)}.ffn.{random.Next(99)}.weight" : Name(random)), random);
                break;
            case < 16:
                pickle.Text(Name(random)).Integer(Bytes.Number(random));
                break;
            case 16:
                pickle.Repeat(1 << random.Next(14), part => part.Op(Opcode.Dup));
                break;
            case 17:
                var opcode = PlainOpcode(random);
                pickle.Repeat(1 << random.Next(10), part => part.Op(opcode));
                break;
            default:
                AddNoise(pickle, random);
                break;
        }
    }

    private static void AddTensor(PickleBuilder pickle, Random random)
    {
        var dims = random.Next(5) == 0 ? random.Next(70) : random.Next(1, 3);
        var shape = new long[dims];
        var strides = new long[random.Next(20) == 0 ? dims + 1 : dims];

        for (var i = 0; i < dims; i++)
        {
            shape[i] = Size(random);
        }

        for (var i = 0; i < strides.Length; i++)
        {
            strides[i] = Size(random);
        }

        var key = random.Next(12) == 0 ? Name(random) : "0";
        pickle.Tensor(part => part.Storage("FloatStorage", key, random.Next(12) == 0 ? Bytes.Number(random) : 6), random.Next(12) == 0 ? Bytes.Number(random) : 0, shape, strides);
    }

    private static long Size(Random random) => random.Next(12) == 0 ? Bytes.Number(random) : random.Next(3);

    private static void AddNoise(PickleBuilder pickle, Random random)
    {
        for (var count = random.Next(1, 20); count > 0; count--)
        {
            switch (random.Next(8))
            {
                case 0:
                    var (module, name) = Globals[random.Next(Globals.Length)];
                    pickle.Global(module, name);
                    break;
                case 1:
                    pickle.Text(Name(random));
                    break;
                case 2:
                    pickle.OpWith(random.Next(2) == 0 ? Opcode.BinPut : Opcode.BinGet, (byte)random.Next(4));
                    break;
                case 3:
                    pickle.OpWith(random.Next(2) == 0 ? Opcode.LongBinPut : Opcode.LongBinGet, BitConverter.GetBytes((int)Bytes.Number(random)));
                    break;
                case 4:
                    // A length, and nothing or little of that length.
                    Opcode[] counted = [Opcode.BinUnicode, Opcode.BinString, Opcode.BinBytes, Opcode.BinUnicode8, Opcode.BinBytes8, Opcode.ByteArray8, Opcode.Frame, Opcode.Long4];
                    pickle.OpWith(counted[random.Next(counted.Length)], BitConverter.GetBytes(Bytes.Number(random)));
                    break;
                case 5:
                    pickle.Integers(Bytes.Number(random), Bytes.Number(random));
                    break;
                default:
                    pickle.Op(PlainOpcode(random));
                    break;
            }
        }
    }

    private static string Name(Random random) => random.Next(50) == 0 ? new string('.', 1 << random.Next(12)) : Names[random.Next(Names.Length)];
}
