using System.Collections.Frozen;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>
/// A class or function that a pickle names and that this reader has an answer to. This table is the whole allowlist:
/// what PyTorch's weights_only loader accepts, less what has no place in a state dict. A name that is not in it is
/// refused the moment it is read; none is ever looked up anywhere else.
/// </summary>
/// <param name="Name">Module and name, with a dot between.</param>
/// <param name="Kind">What calling it means.</param>
/// <param name="DType">The element type, where it is a dtype or a typed storage class.</param>
internal sealed record PickleGlobal(string Name, PickleGlobalKind Kind, DTypeInfo? DType = null)
{
    /// <summary>
    /// What else torch.save writes for tensors, in PyTorch 1.6 to 2.8: files with these are not suspicious, only no LLaMA. Exact names, since whatever
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

    /// <exception cref="CheckpointException">It is not in the allowlist.</exception>
    public static PickleGlobal Find(string module, string name, string file)
    {
        var fullName = $"{module}.{name}";

        if (Allowed.TryGetValue(fullName, out var global))
        {
            return global;
        }

        throw OtherTensors.Contains(fullName)
            ? new CheckpointException(
                CheckpointErrorCode.UnsupportedTensor,
                $"'{file}' holds a tensor that '{fullName}' makes. A LLaMA state dict has only dense tensors with data;"
                + " convert such tensors where the model was trained, and save the state dict again.",
                file)
            : Unsafe(file, $"asks for '{fullName}'");
    }

    public static CheckpointException Unsafe(string file, string what) => new(
        CheckpointErrorCode.UnsafePickle,
        $"'{file}' {what}, which no state dict needs. Nothing was executed. Do not load this file with anything that runs"
        + " pickles. Ask whoever made it for one that holds nothing but the state dict.",
        file);

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

/// <summary>What calling a <see cref="PickleGlobal"/> means.</summary>
internal enum PickleGlobalKind
{
    /// <summary>A dict of its pairs.</summary>
    Dict,

    /// <summary>A tuple of sizes.</summary>
    Size,

    /// <summary>A set of its items.</summary>
    Set,

    /// <summary>(storage, offset, size, stride[, requires_grad, hooks, metadata])</summary>
    RebuildTensor,

    /// <summary>(storage, offset, size, stride, requires_grad, hooks, dtype, metadata)</summary>
    RebuildTensorV3,

    /// <summary>(tensor, …)</summary>
    RebuildParameter,

    /// <summary>(function, type, args, state)</summary>
    RebuildFromType,

    /// <summary>Named as an argument, never called.</summary>
    TensorType,

    /// <summary>Named as an argument, never called.</summary>
    DType,

    /// <summary>Named in a persistent id, never called.</summary>
    StorageType,

    /// <summary>Something nobody looks into.</summary>
    Opaque,
}
