using System.Collections.Frozen;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>
/// What a state dict may name: what PyTorch's weights_only loader accepts, less what has no place there. Persistent ids are storages, calls of the
/// rebuild functions are tensors. Every argument is checked for its type and range; what PyTorch would pass on to native code stops here.
/// </summary>
internal sealed class StateDictVocabulary(string file, PickleBudget budget) : PickleVocabulary(file, budget, Allowed)
{
    /// <summary>
    /// Other names that torch.save writes for tensors, in PyTorch 1.6 to 2.8. Files with these are not suspicious, but are not a LLaMA. Exact names, since whatever
    /// else begins like one is not PyTorch's.
    /// </summary>
    private static readonly FrozenSet<string> OtherTensors = new[]
    {
        "torch._utils._rebuild_qtensor",
        "torch._utils._rebuild_sparse_tensor",
        "torch._utils._rebuild_sparse_csr_tensor",
        "torch._utils._rebuild_nested_tensor",
        "torch._utils._rebuild_meta_tensor_no_storage",
        "torch._utils._rebuild_wrapper_subclass",
        "torch._utils._rebuild_device_tensor_from_numpy",
        "torch._utils._rebuild_device_tensor_from_cpu_tensor",
        "torch._utils._rebuild_xla_tensor",
        "torch.distributed._tensor.DTensor",
        "torch.distributed._tensor.api.DTensor",
        "torch.distributed.tensor.DTensor",
        "torch.distributed.tensor._api.DTensor",
        "torch.distributed._shard.sharded_tensor.ShardedTensor",
        "torch.distributed._shard.sharded_tensor.api.ShardedTensor",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, PickleGlobal> Allowed = List().ToFrozenDictionary(global => global.Name, StringComparer.Ordinal);

    private readonly Dictionary<string, PickledStorage> _storages = new(StringComparer.Ordinal);
    private readonly List<PickledTensor> _tensors = [];

    public IReadOnlyCollection<PickledStorage> Storages => _storages.Values;

    public IReadOnlyCollection<PickledTensor> Tensors => _tensors;

    /// <summary>('storage', type, key, location, numel): the form since PyTorch 1.6; the legacy container adds a sixth item.</summary>
    public override object LoadPersistent(object? id)
    {
        if (id is not PickleTuple { Items: ["storage", PickleGlobal { Kind: PickleGlobalKind.StorageType } type, string key, _, long count, .. var rest] }
            || count < 0
            || key.Length > TensorLimits.MaxNameLength
            || rest.Length > 1)
        {
            throw Malformed("persistent id");
        }

        if (rest is [not null])
        {
            throw new CheckpointException(
                CheckpointErrorCode.UnsupportedTensor,
                $"'{File}' holds a view of a storage as PyTorch before 0.4 wrote it. Load and save it again with a newer PyTorch.",
                File);
        }

        var length = Bytes(count, type.DType?.ItemSize ?? 1);

        if (!_storages.TryGetValue(key, out var storage))
        {
            return _storages[key] = new PickledStorage(key, type.DType, length);
        }

        return storage.DType == type.DType && storage.Length == length
            ? storage
            : throw CheckpointException.Corrupt(File, $"its pickle describes the storage '{key}' in two ways.");
    }

    public override object? Call(PickleGlobal function, object?[] arguments)
    {
        Budget.Charge(arguments.Length);

        return (function.Kind, arguments) switch
        {
            (PickleGlobalKind.Dict, _) => MakeDict(arguments),
            (PickleGlobalKind.Size, [PickleTuple sizes]) => sizes,
            (PickleGlobalKind.Set, []) => new PickleSet([]),
            (PickleGlobalKind.Set, [PickleList list]) => MakeSet(list),
            (PickleGlobalKind.RebuildTensor, [PickledStorage storage, var offset, var size, var stride, .. var rest]) =>
                MakeTensor(storage, storage.DType, offset, size, stride, metadata: rest is [_, _, var metadata] ? metadata : null),
            (PickleGlobalKind.RebuildTensorV3,
                [PickledStorage storage, var offset, var size, var stride, _, _, PickleGlobal { Kind: PickleGlobalKind.DType } dtype, .. var rest]) =>
                MakeTensor(storage, dtype.DType, offset, size, stride, metadata: rest is [var metadata] ? metadata : null),
            (PickleGlobalKind.RebuildParameter, [PickledTensor data, ..]) => data,
            (PickleGlobalKind.RebuildFromType, [PickleGlobal { Kind: not PickleGlobalKind.RebuildFromType } inner, PickleGlobal, PickleTuple args, ..]) =>
                Call(inner, args.Items),
            (PickleGlobalKind.Opaque, _) => new PickleOpaque(function.Name),
            _ => throw Malformed($"call of '{function.Name}'"),
        };
    }

    /// <summary>A module's state dict carries _metadata this way and a Parameter its attributes; neither matters to us.</summary>
    public override void SetState(object? value, object? state)
    {
        if (value is not (PickleDict or PickledTensor))
        {
            throw Unsafe("sets the state of an object that is neither a tensor nor an OrderedDict");
        }
    }

    protected override string Content => "state dict";

    protected override string WayOut => "a file that holds only the state dict";

    protected override CheckpointException Refuse(string fullName) => OtherTensors.Contains(fullName)
        ? new CheckpointException(
            CheckpointErrorCode.UnsupportedTensor,
            $"'{File}' holds a tensor made by '{fullName}'. The state dict of a LLaMA has only dense tensors with data."
            + " Convert such tensors where the model was trained, and save the state dict again.",
            File)
        : base.Refuse(fullName);

    private PickleDict MakeDict(object?[] arguments)
    {
        var dict = new PickleDict();

        // Python 2 wrote OrderedDict([[key, value], …]); Python 3 calls it without arguments and sets items. No pickler writes the other forms that OrderedDict accepts.
        var pairs = arguments switch
        {
            [] => [],
            [PickleList list] => list.Items,
            _ => throw Malformed("OrderedDict"),
        };

        // A call that copies a memoized list takes no bytes of the file for its pairs, and a dict that grows up to 160 bytes for each.
        Budget.Charge(8L * pairs.Count);

        foreach (var item in pairs)
        {
            var pair = item switch
            {
                PickleList list => [.. list.Items],
                PickleTuple tuple => tuple.Items,
                _ => [],
            };

            if (pair is not [var key, var value])
            {
                throw Malformed("OrderedDict");
            }

            dict.Set(Key(key), value);
        }

        return dict;
    }

    private PickleSet MakeSet(PickleList list)
    {
        Budget.Charge(list.Items.Count);
        return new PickleSet([.. list.Items]);
    }

    private PickledTensor MakeTensor(PickledStorage storage, DTypeInfo? dtype, object? offset, object? size, object? stride, object? metadata)
    {
        if (metadata is PickleDict bits && (bits.Get("conj") is true || bits.Get("neg") is true))
        {
            throw new CheckpointException(
                CheckpointErrorCode.UnsupportedTensor,
                $"'{File}' holds a tensor with a lazy conjugate or negative bit. Save tensor.resolve_conj().resolve_neg() instead.",
                File);
        }

        if (dtype is null || offset is not (long and >= 0)
            || size is not PickleTuple sizes || stride is not PickleTuple strides || sizes.Items.Length != strides.Items.Length
            || sizes.Items.Length > TensorLimits.MaxDims)
        {
            throw Malformed("tensor");
        }

        // One tuple may be the shape and the strides of any number of tensors, each of which keeps both.
        Budget.Charge(2L * sizes.Items.Length);

        var shape = Shape(Naturals(sizes));
        Budget.ChargeTensor(Bytes(shape.ElementCount, dtype.ItemSize));

        var tensor = new PickledTensor(storage, dtype.DType, (long)offset, shape, Naturals(strides));
        _tensors.Add(tensor);
        return tensor;
    }

    private long[] Naturals(PickleTuple tuple) =>
        Array.ConvertAll(tuple.Items, item => item is long number and >= 0 ? number : throw Malformed("tensor"));

    private TensorShape Shape(long[] sizes)
    {
        try
        {
            return new TensorShape(sizes);
        }
        catch (OverflowException)
        {
            throw CheckpointException.Corrupt(File, $"a tensor of shape {string.Join('x', sizes)} can't exist.");
        }
    }

    private long Bytes(long count, int itemSize) => count <= PickleBudget.MaxTensorSize / itemSize
        ? count * itemSize
        : throw CheckpointException.Corrupt(File, $"it claims to hold {count} elements of {itemSize} bytes.");

    private static IEnumerable<PickleGlobal> List()
    {
        yield return new("collections.OrderedDict", PickleGlobalKind.Dict);
        yield return new("torch.Size", PickleGlobalKind.Size);
        yield return new("builtins.set", PickleGlobalKind.Set);
        yield return new("__builtin__.set", PickleGlobalKind.Set);

        yield return new("torch._utils._rebuild_tensor", PickleGlobalKind.RebuildTensor);
        yield return new("torch._utils._rebuild_tensor_v2", PickleGlobalKind.RebuildTensor);
        yield return new("torch._utils._rebuild_tensor_v3", PickleGlobalKind.RebuildTensorV3);
        yield return new("torch._utils._rebuild_parameter", PickleGlobalKind.RebuildParameter);
        yield return new("torch._utils._rebuild_parameter_with_state", PickleGlobalKind.RebuildParameter);
        yield return new("torch._tensor._rebuild_from_type_v2", PickleGlobalKind.RebuildFromType);
        yield return new("torch.nn.parameter.Parameter", PickleGlobalKind.RebuildParameter);
        yield return new("torch.Tensor", PickleGlobalKind.TensorType);
        yield return new("torch._tensor.Tensor", PickleGlobalKind.TensorType);

        foreach (var info in DTypeInfo.Known)
        {
            yield return new($"torch.{info.TorchName}", PickleGlobalKind.DType, info);

            if (info.StorageName is not null)
            {
                yield return new($"torch.{info.StorageName}", PickleGlobalKind.StorageType, info);
            }
        }

        yield return new("torch.UntypedStorage", PickleGlobalKind.StorageType);
        yield return new("torch.storage.UntypedStorage", PickleGlobalKind.StorageType);

        yield return new("torch.device", PickleGlobalKind.Opaque);
        yield return new("torch.serialization._get_layout", PickleGlobalKind.Opaque);
        yield return new("_codecs.encode", PickleGlobalKind.Opaque);
        yield return new("builtins.complex", PickleGlobalKind.Opaque);
        yield return new("__builtin__.complex", PickleGlobalKind.Opaque);
        yield return new("builtins.bytearray", PickleGlobalKind.Opaque);
        yield return new("__builtin__.bytearray", PickleGlobalKind.Opaque);
    }
}
