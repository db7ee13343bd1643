using System.Buffers.Binary;
using System.Text;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Makes pickles opcode by opcode, those that Python would never write above all.</summary>
internal sealed class PickleBuilder
{
    private readonly List<byte> _bytes = [];

    public PickleBuilder Op(params ReadOnlySpan<Opcode> opcodes)
    {
        foreach (var opcode in opcodes)
        {
            _bytes.Add((byte)opcode);
        }

        return this;
    }

    /// <summary>An opcode with its argument as bytes.</summary>
    public PickleBuilder OpWith(Opcode opcode, params ReadOnlySpan<byte> argument) => Op(opcode).Raw(argument);

    public PickleBuilder Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public PickleBuilder Repeat(int count, Action<PickleBuilder> part)
    {
        for (var i = 0; i < count; i++)
        {
            part(this);
        }

        return this;
    }

    /// <summary>As Python writes it: LONG1 only for what does not fit 32 bits.</summary>
    public PickleBuilder Integer(long value)
    {
        if (value is >= int.MinValue and <= int.MaxValue)
        {
            return OpWith(Opcode.BinInt, LittleEndian((int)value));
        }

        Span<byte> digits = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(digits, value);
        return OpWith(Opcode.Long1, sizeof(long)).Raw(digits);
    }

    public PickleBuilder Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        return OpWith(Opcode.BinUnicode, LittleEndian(utf8.Length)).Raw(utf8);
    }

    public PickleBuilder Global(string module, string name) => Op(Opcode.Global).Raw(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    public PickleBuilder StackGlobal(string module, string name) => Text(module).Text(name).Op(Opcode.StackGlobal);

    public PickleBuilder Integers(params ReadOnlySpan<long> values)
    {
        Op(Opcode.Mark);

        foreach (var value in values)
        {
            Integer(value);
        }

        return Op(Opcode.Tuple);
    }

    /// <summary>('storage', torch.TYPE, KEY, 'cpu', COUNT)</summary>
    public PickleBuilder Storage(string type, string key, long count) =>
        Op(Opcode.Mark).Text("storage").Global("torch", type).Text(key).Text("cpu").Integer(count).Op(Opcode.Tuple, Opcode.BinPersId);

    /// <summary>_rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict())</summary>
    public PickleBuilder Tensor(Action<PickleBuilder> storage, long offset, ReadOnlySpan<long> shape, ReadOnlySpan<long> strides)
    {
        Global("torch._utils", "_rebuild_tensor_v2").Op(Opcode.Mark);
        storage(this);
        return Integer(offset).Integers(shape).Integers(strides).Op(Opcode.NewFalse).EmptyOrderedDict().Op(Opcode.Tuple, Opcode.Reduce);
    }

    /// <summary>_rebuild_tensor_v3(storage, offset, shape, strides, False, OrderedDict(), torch.DTYPE)</summary>
    public PickleBuilder TensorV3(string dtype, Action<PickleBuilder> storage, long offset, ReadOnlySpan<long> shape, ReadOnlySpan<long> strides)
    {
        Global("torch._utils", "_rebuild_tensor_v3").Op(Opcode.Mark);
        storage(this);
        return Integer(offset).Integers(shape).Integers(strides).Op(Opcode.NewFalse).EmptyOrderedDict()
            .Global("torch", dtype).Op(Opcode.Tuple, Opcode.Reduce);
    }

    public PickleBuilder EmptyOrderedDict() => Global("collections", "OrderedDict").Op(Opcode.EmptyTuple, Opcode.Reduce);

    /// <summary>The bytes so far.</summary>
    public byte[] ToArray() => [.. _bytes];

    /// <summary>The pickle, complete.</summary>
    public byte[] Stop() => Op(Opcode.Stop).ToArray();

    /// <summary>The pickle run by the machine.</summary>
    public Unpickled Run() => Run(Stop(), out _);

    /// <summary>Runs a pickle.</summary>
    /// <param name="pickle">Bytes that begin with it.</param>
    /// <param name="length">How many of them were its.</param>
    public static Unpickled Run(byte[] pickle, out int length)
    {
        var bytes = new PickleBytes(pickle, "some.pt");
        var unpickled = Unpickled.Read(bytes, new PickleBudget("some.pt"), CancellationToken.None);
        length = bytes.Position;
        return unpickled;
    }

    public static byte[] LittleEndian(int value)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }
}
