using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Makes the metadata of distributed checkpoints, as any version of PyTorch wrote it or as none does.</summary>
internal sealed class MetadataBuilder
{
    private readonly List<(string Name, string DType, long[] Size, MetadataPart[] Parts)> _tensors = [];
    private readonly List<string> _saved = [];

    /// <summary>The version that it is like.</summary>
    public MetadataGeneration Generation { get; init; } = MetadataGeneration.Newest;

    /// <summary>What is more in the properties of tensors than those of the version.</summary>
    public Action<PickleBuilder> MoreProperties { get; init; } = _ => { };

    /// <summary>Attributes of every place of data beside those of the version.</summary>
    public Action<PickleBuilder> MoreOfItem { get; init; } = _ => { };

    /// <summary>Attributes of all of it beside those of the version.</summary>
    public Action<PickleBuilder> More { get; init; } = _ => { };

    /// <summary>An object of a class, made and given attributes as Python's pickler does.</summary>
    public static void Object(PickleBuilder pickle, string module, string name, Action<PickleBuilder> attributes)
    {
        pickle.StackGlobal(module, name).Op(Opcode.EmptyTuple, Opcode.NewObj, Opcode.EmptyDict, Opcode.Mark);
        attributes(pickle);
        pickle.Op(Opcode.SetItems, Opcode.Build);
    }

    public static PickleBuilder Size(PickleBuilder pickle, params ReadOnlySpan<long> sizes) =>
        pickle.StackGlobal("torch", "Size").Integers(sizes).Op(Opcode.Tuple1, Opcode.Reduce);

    /// <summary>Adds a tensor with its chunks.</summary>
    public MetadataBuilder Tensor(string name, string dtype, long[] size, params MetadataPart[] parts)
    {
        _tensors.Add((name, dtype, size, parts));
        return this;
    }

    /// <summary>Adds a saved object.</summary>
    public MetadataBuilder Saved(string name)
    {
        _saved.Add(name);
        return this;
    }

    public byte[] Build()
    {
        var pickle = new PickleBuilder().OpWith(Opcode.Proto, 4);
        Object(pickle, Generation.Classes, "Metadata", AddAll);
        return pickle.Stop();
    }

    private void AddAll(PickleBuilder pickle)
    {
        pickle.Text("state_dict_metadata").Op(Opcode.EmptyDict, Opcode.Mark);

        foreach (var tensor in _tensors)
        {
            AddTensor(pickle.Text(tensor.Name), tensor.DType, tensor.Size, tensor.Parts);
        }

        foreach (var name in _saved)
        {
            pickle.Text(name).StackGlobal(Generation.Classes, "BytesStorageMetadata").Op(Opcode.EmptyTuple, Opcode.NewObj);
        }

        // Pieces of names are texts or indices of lists.
        pickle.Op(Opcode.SetItems).Text("planner_data").Op(Opcode.EmptyDict).Text("optimizer.param_groups.0.lr")
            .Op(Opcode.Mark).Text("optimizer").Text("param_groups").Integer(0).Text("lr").Op(Opcode.Tuple, Opcode.SetItem);
        pickle.Text("storage_data").Op(Opcode.EmptyDict, Opcode.Mark);

        foreach (var tensor in _tensors)
        {
            foreach (var part in tensor.Parts.Where(part => part.File is not null))
            {
                AddKey(pickle, tensor.Name, part.KeyOffsets ?? part.Offsets);
                AddItem(pickle, part);
            }
        }

        foreach (var name in _saved)
        {
            AddKey(pickle, name, null);
            AddItem(pickle, new MetadataPart([], []) { Length = 1 });
        }

        pickle.Op(Opcode.SetItems);
        Generation.More(pickle);
        More(pickle);
    }

    private void AddTensor(PickleBuilder pickle, string dtype, long[] size, MetadataPart[] parts) => Object(pickle, Generation.Classes, "TensorStorageMetadata", tensor =>
    {
        tensor.Text("properties").StackGlobal(Generation.Properties, "TensorProperties").Op(Opcode.EmptyTuple, Opcode.NewObj, Opcode.Mark).Global("torch", dtype)
            .Global("torch.serialization", "_get_layout").Text("torch.strided").Op(Opcode.Tuple1, Opcode.Reduce, Opcode.NewFalse);
        Generation.MemoryFormat(tensor);
        tensor.Op(Opcode.NewFalse);
        MoreProperties(tensor);
        Size(tensor.Op(Opcode.Tuple, Opcode.Build).Text("size"), size).Text("chunks").Op(Opcode.EmptyList, Opcode.Mark);

        foreach (var part in parts)
        {
            Object(tensor, Generation.Classes, "ChunkStorageMetadata", chunk => Size(Size(chunk.Text("offsets"), part.Offsets).Text("sizes"), part.Sizes));
        }

        tensor.Op(Opcode.Appends);
    });

    private void AddKey(PickleBuilder pickle, string name, long[]? offsets) => Object(pickle, Generation.Classes, "MetadataIndex", key =>
    {
        key.Text("fqn").Text(name).Text("index").Op(Opcode.None);

        // MetadataIndex.__init__ sets it only where there is one.
        if (offsets is not null)
        {
            Size(key.Text("offset"), offsets);
        }
    });

    private void AddItem(PickleBuilder pickle, MetadataPart part) => Object(pickle, Generation.Files, "_StorageInfo", item =>
    {
        item.Text("relative_path").Text(part.File!).Text("offset").Integer(part.Offset).Text("length").Integer(part.Length);
        Generation.MoreOfItem(item);
        MoreOfItem(item);
    });
}

/// <param name="Offsets">Where a chunk begins.</param>
/// <param name="Sizes">How large it is.</param>
internal sealed record MetadataPart(long[] Offsets, long[] Sizes)
{
    /// <summary>The file that it is said to be in; null if nothing is said.</summary>
    public string? File { get; init; } = "__0_0.distcp";

    public long Offset { get; init; }

    public long Length { get; init; }

    /// <summary>What the place of the data is filed under, where that differs.</summary>
    public long[]? KeyOffsets { get; init; }
}
