using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>
/// What torch's own parts of a pickle mean: persistent ids are storages, calls of the rebuild functions are tensors. Every
/// argument is checked for its type and range; what PyTorch would pass on to native code stops here.
/// </summary>
internal sealed class TorchObjects(string file, PickleBudget budget)
{
    private readonly Dictionary<string, PickledStorage> _storages = new(StringComparer.Ordinal);
    private readonly List<PickledTensor> _tensors = [];

    public IReadOnlyCollection<PickledStorage> Storages => _storages.Values;

    public IReadOnlyCollection<PickledTensor> Tensors => _tensors;

    /// <summary>('storage', type, key, location, numel): the form since PyTorch 1.6; the legacy container adds a sixth item.</summary>
    public PickledStorage LoadPersistent(object? id)
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
                $"'{file}' holds a view of a storage as PyTorch before 0.4 wrote it. Load and save it again with a newer PyTorch.",
                file);
        }

        var length = Bytes(count, type.DType?.ItemSize ?? 1);

        if (!_storages.TryGetValue(key, out var storage))
        {
            return _storages[key] = new PickledStorage(key, type.DType, length);
        }

        return storage.DType == type.DType && storage.Length == length
            ? storage
            : throw CheckpointException.Corrupt(file, $"its pickle describes the storage '{key}' in two ways.");
    }

    public object? Call(PickleGlobal function, object?[] arguments)
    {
        budget.Charge(arguments.Length);

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

    /// <summary>A key of a dict, refused when hashing it again and again would take long.</summary>
    public object? Key(object? key) => key is string { Length: > TensorLimits.MaxNameLength } ? throw Malformed("key") : key;

    private PickleDict MakeDict(object?[] arguments)
    {
        var dict = new PickleDict();

        // Python 2 wrote OrderedDict([[key, value], …]); Python 3 calls it without arguments and sets items. What else OrderedDict takes no pickler writes.
        var pairs = arguments switch
        {
            [] => [],
            [PickleList list] => list.Items,
            _ => throw Malformed("OrderedDict"),
        };

        // A call that copies a memoized list takes no bytes of the file for its pairs, and a dict that grows up to 160 bytes for each.
        budget.Charge(8L * pairs.Count);

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
        budget.Charge(list.Items.Count);
        return new PickleSet([.. list.Items]);
    }

    private PickledTensor MakeTensor(PickledStorage storage, DTypeInfo? dtype, object? offset, object? size, object? stride, object? metadata)
    {
        if (metadata is PickleDict bits && (bits.Get("conj") is true || bits.Get("neg") is true))
        {
            throw new CheckpointException(
                CheckpointErrorCode.UnsupportedTensor,
                $"'{file}' holds a tensor with a lazy conjugate or negative bit. Save tensor.resolve_conj().resolve_neg() instead.",
                file);
        }

        if (dtype is null || offset is not (long and >= 0)
            || size is not PickleTuple sizes || stride is not PickleTuple strides || sizes.Items.Length != strides.Items.Length
            || sizes.Items.Length > TensorLimits.MaxDims)
        {
            throw Malformed("tensor");
        }

        // One tuple may be the shape and the strides of any number of tensors, each of which keeps both.
        budget.Charge(2L * sizes.Items.Length);

        var shape = Shape(Naturals(sizes));
        budget.ChargeTensor(Bytes(shape.ElementCount, dtype.ItemSize));

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
            throw CheckpointException.Corrupt(file, $"a tensor of shape {string.Join('x', sizes)} can't exist.");
        }
    }

    private long Bytes(long count, int itemSize) => count <= PickleBudget.MaxTensorSize / itemSize
        ? count * itemSize
        : throw CheckpointException.Corrupt(file, $"it claims to hold {count} elements of {itemSize} bytes.");

    private CheckpointException Malformed(string what) => CheckpointException.Corrupt(file, $"its pickle holds a malformed {what}.");
}
