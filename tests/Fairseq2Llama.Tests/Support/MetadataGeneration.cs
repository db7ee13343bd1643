using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Support;

/// <summary>What the metadata of a version of PyTorch differs in from that of others.</summary>
/// <param name="Package">Where the classes are.</param>
/// <param name="Properties">The module of TensorProperties and of the memory format.</param>
/// <param name="Format">The name of the enumeration of memory formats.</param>
internal sealed record MetadataGeneration(string Package, string Properties, string Format)
{
    private const string NewPackage = "torch.distributed.checkpoint", NewClasses = $"{NewPackage}.metadata";
    private const string ShardedTensors = "torch.distributed._shard.sharded_tensor.metadata";

    public string Classes => $"{Package}.metadata";

    public string Files => $"{Package}.filesystem";

    /// <summary>Attributes of all of it beside what it holds and where.</summary>
    public Action<PickleBuilder> More { get; private init; } = _ => { };

    /// <summary>Attributes of places beside file, offset and length.</summary>
    public Action<PickleBuilder> MoreOfItem { get; private init; } = _ => { };

    /// <summary>Whether the enumeration is pickled by name, as Python 3.11 does, or by value.</summary>
    public bool IsFormatNamed { get; private init; }

    public static MetadataGeneration Newest => Known["2.9"];

    public static IReadOnlyDictionary<string, MetadataGeneration> Known { get; } = new Dictionary<string, MetadataGeneration>
    {
        // torch/distributed/_shard/checkpoint/metadata.py: "class Metadata", "class MetadataIndex"; filesystem.py: "class _StorageInfo"
        ["1.13"] = new("torch.distributed._shard.checkpoint", ShardedTensors, "MEM_FORMAT_ENCODING"),

        // torch/distributed/checkpoint/metadata.py: "from torch.distributed._shard.sharded_tensor.metadata import TensorProperties"; moved there by PR 88641
        ["2.0"] = new(NewPackage, ShardedTensors, "MEM_FORMAT_ENCODING"),
        ["2.2, Python 3.11"] = new(NewPackage, ShardedTensors, "MEM_FORMAT_ENCODING") { IsFormatNamed = true },

        // metadata.py: "class _MEM_FORMAT_ENCODING(Enum)", "class TensorProperties", "class StorageMeta: checkpoint_id, save_id, load_id"
        ["2.3"] = new(NewPackage, NewClasses, "_MEM_FORMAT_ENCODING") { More = pickle => AddMeta(pickle, Path("pathlib")) },
        ["2.6, Python 3.13"] = new(NewPackage, NewClasses, "_MEM_FORMAT_ENCODING") { More = pickle => AddMeta(pickle, Path("pathlib._local")) },
        ["2.6, a store"] = new(NewPackage, NewClasses, "_MEM_FORMAT_ENCODING") { More = pickle => AddMeta(pickle, id => id.Text("s3://bucket/run")) },

        // PR 146654: "modules: list[str] = field(default_factory=list)"; _StorageInfo.__getstate__ removes transform_descriptors where it is None
        ["2.8"] = new(NewPackage, NewClasses, "_MEM_FORMAT_ENCODING") { More = pickle => AddMeta(pickle, Path("pathlib"), hasModules: true) },
        ["2.8, no descriptors"] = new(NewPackage, NewClasses, "_MEM_FORMAT_ENCODING")
        {
            More = pickle => AddMeta(pickle, Path("pathlib"), hasModules: true),
            MoreOfItem = item => item.Text("transform_descriptors").Op(Opcode.None),
        },

        // PR 155343: "version: Optional[str] = None", which was a number in drafts
        ["2.9"] = new(NewPackage, NewClasses, "_MEM_FORMAT_ENCODING") { More = pickle => AddVersion(pickle).Text("1.0.0") },
        ["2.9, a number"] = new(NewPackage, NewClasses, "_MEM_FORMAT_ENCODING") { More = pickle => AddVersion(pickle).OpWith(Opcode.BinFloat, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0) },
    };

    /// <summary>Adds the member of the enumeration for contiguous tensors.</summary>
    public void MemoryFormat(PickleBuilder pickle)
    {
        if (IsFormatNamed)
        {
            pickle.Global("builtins", "getattr").Global(Properties, Format).Text("TORCH_CONTIGUOUS_FORMAT").Op(Opcode.Tuple2, Opcode.Reduce);
        }
        else
        {
            pickle.Global(Properties, Format).OpWith(Opcode.BinInt1, 0).Op(Opcode.Tuple1, Opcode.Reduce);
        }
    }

    private static Action<PickleBuilder> Path(string module) =>
        pickle => pickle.Global(module, "PosixPath").Op(Opcode.Mark).Text("/").Text("run").Op(Opcode.Tuple, Opcode.Reduce);

    private static PickleBuilder AddVersion(PickleBuilder pickle)
    {
        AddMeta(pickle, Path("pathlib"), hasModules: true);
        return pickle.Text("version");
    }

    private static void AddMeta(PickleBuilder pickle, Action<PickleBuilder> id, bool hasModules = false) =>
        MetadataBuilder.Object(pickle.Text("storage_meta"), NewClasses, "StorageMeta", meta =>
        {
            id(meta.Text("checkpoint_id"));
            meta.Text("save_id").Text("some").Text("load_id").Op(Opcode.None);

            if (hasModules)
            {
                meta.Text("modules").Op(Opcode.EmptyList);
            }
        });
}
