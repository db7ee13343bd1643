using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.TorchFiles.Writing;

/// <summary>
/// Writes the pickle of a dict of contiguous tensors with the opcodes of protocol 2, as PyTorch's weights_only loaders want it.
/// torch.save memoizes every object; nothing here is worth it but is read the same.
/// </summary>
internal sealed class StateDictPickle
{
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly Dictionary<PlannedStorage, string> _keys = [];

    private StateDictPickle(IReadOnlyList<PlannedStorage> storages)
    {
        for (var key = 0; key < storages.Count; key++)
        {
            _keys.Add(storages[key], key.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <param name="tensors">In the order of the dict.</param>
    /// <param name="storages">Their storages; the key of each is its place.</param>
    /// <param name="wrapping">The wrapping around the dict; null for none.</param>
    public static byte[] Write(IReadOnlyList<PlannedTensor> tensors, IReadOnlyList<PlannedStorage> storages, StateDictWrapping? wrapping = null)
    {
        var pickle = new StateDictPickle(storages);

        pickle.Op(Opcode.Proto, 2);

        if (wrapping is null)
        {
            pickle.StateDict(tensors);
        }
        else
        {
            pickle.Wrapped(tensors, wrapping);
        }

        pickle.Op(Opcode.Stop);
        return pickle._bytes.WrittenSpan.ToArray();
    }

    private void StateDict(IReadOnlyList<PlannedTensor> tensors)
    {
        Op(Opcode.EmptyDict);
        Op(Opcode.Mark);

        foreach (var tensor in tensors)
        {
            Text(tensor.Name);
            Tensor(tensor);
        }

        Op(Opcode.SetItems);
    }

    private void Wrapped(IReadOnlyList<PlannedTensor> tensors, StateDictWrapping wrapping)
    {
        Op(Opcode.EmptyDict);
        Op(Opcode.Mark);
        Text(wrapping.Key);
        StateDict(tensors);

        foreach (var (key, text) in wrapping.Texts)
        {
            Text(key);
            Text(text);
        }

        foreach (var flag in wrapping.Flags)
        {
            Text(flag);
            Op(Opcode.NewTrue);
        }

        Op(Opcode.SetItems);
    }

    /// <summary>_rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()), or _v3 with a dtype at the end.</summary>
    private void Tensor(PlannedTensor tensor)
    {
        var info = DTypeInfo.Of(tensor.DType);

        Global("torch._utils", info.StorageName is null ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2");
        Op(Opcode.Mark);
        Storage(tensor.Storage, info);
        Integer(0);
        Tuple(tensor.Shape.Sizes);
        Tuple(tensor.Shape.RowMajorStrides());
        Op(Opcode.NewFalse);
        Global("collections", "OrderedDict");
        Op(Opcode.EmptyTuple);
        Op(Opcode.Reduce);

        if (info.StorageName is null)
        {
            Global("torch", info.TorchName);
        }

        Op(Opcode.Tuple);
        Op(Opcode.Reduce);
    }

    /// <summary>('storage', torch.FloatStorage, key, 'cpu', numel)</summary>
    private void Storage(PlannedStorage storage, DTypeInfo info)
    {
        Op(Opcode.Mark);
        Text("storage");

        if (info.StorageName is null)
        {
            Global("torch.storage", "UntypedStorage");
        }
        else
        {
            Global("torch", info.StorageName);
        }

        Text(_keys[storage]);
        Text("cpu");
        Integer(info.StorageName is null ? storage.Length : info.ElementsIn(storage.Length));
        Op(Opcode.Tuple);
        Op(Opcode.BinPersId);
    }

    private void Tuple(IReadOnlyList<long> numbers)
    {
        Op(Opcode.Mark);

        foreach (var number in numbers)
        {
            Integer(number);
        }

        Op(Opcode.Tuple);
    }

    private void Integer(long value)
    {
        switch (value)
        {
            case >= 0 and <= byte.MaxValue:
                Op(Opcode.BinInt1, (byte)value);
                break;
            case >= 0 and <= int.MaxValue:
                Op(Opcode.BinInt);
                BinaryPrimitives.WriteInt32LittleEndian(_bytes.GetSpan(sizeof(int)), (int)value);
                _bytes.Advance(sizeof(int));
                break;
            default:
                Op(Opcode.Long1, sizeof(long));
                BinaryPrimitives.WriteInt64LittleEndian(_bytes.GetSpan(sizeof(long)), value);
                _bytes.Advance(sizeof(long));
                break;
        }
    }

    private void Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        Op(Opcode.BinUnicode);
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.GetSpan(sizeof(int)), utf8.Length);
        _bytes.Advance(sizeof(int));
        _bytes.Write(utf8);
    }

    private void Global(string module, string name)
    {
        Op(Opcode.Global);
        _bytes.Write(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));
    }

    private void Op(Opcode opcode) => _bytes.Write([(byte)opcode]);

    private void Op(Opcode opcode, byte argument) => _bytes.Write([(byte)opcode, argument]);
}
