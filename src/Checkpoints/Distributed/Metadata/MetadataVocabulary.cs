using System.Collections.Frozen;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Distributed.Metadata;

/// <summary>
/// What the metadata of a distributed checkpoint may name: the classes that it is made of (torch/distributed/checkpoint/metadata.py and filesystem.py of PyTorch),
/// and what their attributes are.
/// </summary>
internal sealed class MetadataVocabulary(string file, PickleBudget budget) : PickleVocabulary(file, budget, Allowed)
{
    private const string GetAttribute = "builtins.getattr";

    private const int SizesBits = 14;

    /// <summary>Where they are in PyTorch 2, and in 1.13.</summary>
    private static readonly string[] Packages = ["torch.distributed.checkpoint", "torch.distributed._shard.checkpoint"];

    private static readonly (string Name, Func<SavedObject> Make)[] Classes =
    [
        ("metadata.Metadata", () => new SavedMetadata()),
        ("metadata.TensorStorageMetadata", () => new SavedTensor()),
        ("metadata.TensorProperties", () => new SavedProperties()),
        ("metadata.ChunkStorageMetadata", () => new SavedChunk()),
        ("metadata.MetadataIndex", () => new SavedKey()),
        ("filesystem._StorageInfo", () => new SavedItem()),
        ("metadata.BytesStorageMetadata", () => new SavedBytes()),
        ("metadata.StorageMeta", () => new SavedBytes()),
    ];

    private static readonly FrozenSet<string> MemoryFormats =
        new[] { "TORCH_CONTIGUOUS_FORMAT", "TORCH_CHANNELS_LAST", "TORCH_PRESERVE_FORMAT" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Types that no weight has, but other tensors in training may.</summary>
    private static readonly string[] OtherTypes =
    [
        "complex32", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn_x2", "qint8", "quint8", "qint32", "quint4x2", "quint2x4",
        "bits1x8", "bits2x4", "bits4x2", "bits8", "bits16",
        .. from bits in Enumerable.Range(1, 7) from type in new[] { "int", "uint" } select $"{type}{bits}",
    ];

    private static readonly FrozenDictionary<string, PickleGlobal> Allowed = List().ToFrozenDictionary(global => global.Name, StringComparer.Ordinal);

    private readonly long[]?[] _sizes = new long[]?[1 << SizesBits];

    protected override string Content => "metadata of a checkpoint";

    protected override string WayOut => "a checkpoint that PyTorch's own planner saved";

    public override object LoadPersistent(object? id) => throw Malformed("persistent id");

    public override object? Call(PickleGlobal function, object?[] arguments) => (function.Kind, arguments) switch
    {
        (PickleGlobalKind.Object, []) => function.Make!(),
        (PickleGlobalKind.Size, [PickleTuple { Items.Length: <= TensorLimits.MaxDims } sizes]) => Naturals(sizes),
        (PickleGlobalKind.Dict, []) => new PickleDict(),
        (PickleGlobalKind.Opaque, _) => new PickleOpaque(function.Name),

        // As newer Pythons pickle the members of an enumeration. It could reach anything, so nothing else is let through.
        (PickleGlobalKind.GetAttribute, [PickleGlobal { Kind: PickleGlobalKind.Opaque } type, string member]) when MemoryFormats.Contains(member) =>
            new PickleOpaque(type.Name),
        (PickleGlobalKind.GetAttribute, _) => throw Unsafe($"calls '{GetAttribute}'"),
        _ => throw Malformed($"call of '{function.Name}'"),
    };

    public override void SetState(object? value, object? state)
    {
        switch (value, state)
        {
            case (SavedProperties properties, PickleTuple { Items: [var dtype, ..] }):
                Set(properties, "dtype", dtype);
                break;
            case (SavedObject target, PickleDict attributes):
                foreach (var (attribute, content) in attributes.Span)
                {
                    Set(target, attribute as string ?? throw Malformed("attribute"), content);
                }

                break;
            case (PickleDict or PickleOpaque, _):
                break;
            default:
                throw Unsafe("sets the state of an object that is no part of the metadata");
        }
    }

    protected override CheckpointException Refuse(string fullName) => fullName.StartsWith("megatron.", StringComparison.Ordinal)
        ? new CheckpointException(CheckpointErrorCode.CheckpointUnrecognized, $"'{File}' belongs to {ForeignCheckpoint.OfMegatronCore}", File)
        : base.Refuse(fullName);

    private void Set(SavedObject target, string attribute, object? value)
    {
        if (!target.Set(attribute, value))
        {
            throw Malformed($"'{attribute}'");
        }
    }

    /// <summary>Sizes, the same array for the same ones as a rule: most chunks of a tensor have one size, and those of all tensors begin at few places.</summary>
    private long[] Naturals(PickleTuple tuple)
    {
        var hash = 0UL;

        foreach (var item in tuple.Items)
        {
            hash = (hash + (item is long number and >= 0 ? (ulong)number + 1 : throw Malformed("size"))) * 0x9e3779b97f4a7c15;
        }

        ref var known = ref _sizes[hash >> (64 - SizesBits)];
        return known is not null && AreSame(known, tuple.Items) ? known : known = Array.ConvertAll(tuple.Items, item => (long)item!);
    }

    private static bool AreSame(long[] numbers, object?[] items)
    {
        if (numbers.Length != items.Length)
        {
            return false;
        }

        for (var i = 0; i < numbers.Length; i++)
        {
            if (numbers[i] != (long)items[i]!)
            {
                return false;
            }
        }

        return true;
    }

    private static IEnumerable<PickleGlobal> List()
    {
        foreach (var package in Packages)
        {
            foreach (var (name, make) in Classes)
            {
                yield return new($"{package}.{name}", PickleGlobalKind.Object, Make: make);
            }
        }

        yield return new("torch.distributed._shard.sharded_tensor.metadata.TensorProperties", PickleGlobalKind.Object, Make: () => new SavedProperties());

        foreach (var info in DTypeInfo.Known)
        {
            yield return new($"torch.{info.TorchName}", PickleGlobalKind.DType, info);
        }

        foreach (var name in OtherTypes)
        {
            yield return new($"torch.{name}", PickleGlobalKind.DType);
        }

        yield return new("torch.Size", PickleGlobalKind.Size);
        yield return new("collections.OrderedDict", PickleGlobalKind.Dict);
        yield return new(GetAttribute, PickleGlobalKind.GetAttribute);

        yield return new("torch.serialization._get_layout", PickleGlobalKind.Opaque);
        yield return new("torch.distributed.checkpoint.metadata._MEM_FORMAT_ENCODING", PickleGlobalKind.Opaque);
        yield return new("torch.distributed._shard.sharded_tensor.metadata.MEM_FORMAT_ENCODING", PickleGlobalKind.Opaque);

        // StorageMeta.checkpoint_id; the modules are those of Python to 3.12, 3.13, and 3.14.
        foreach (var module in new[] { "pathlib", "pathlib._local" })
        {
            foreach (var type in new[] { "Path", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath" })
            {
                yield return new($"{module}.{type}", PickleGlobalKind.Opaque);
            }
        }
    }
}
