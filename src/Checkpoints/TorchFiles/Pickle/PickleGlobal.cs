using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>A class or function that a pickle names and that a <see cref="PickleVocabulary"/> has an answer to.</summary>
/// <param name="Name">Module and name, with a dot between.</param>
/// <param name="Kind">The meaning of a call of it.</param>
/// <param name="DType">The element type, where it is a dtype or a typed storage class.</param>
/// <param name="Make">Makes an object of it, where it is a class.</param>
internal sealed record PickleGlobal(string Name, PickleGlobalKind Kind, DTypeInfo? DType = null, Func<object>? Make = null);

/// <summary>The meaning of a call of a <see cref="PickleGlobal"/>.</summary>
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

    /// <summary>A value that is not used.</summary>
    Opaque,

    /// <summary>An object, made without arguments, whose state comes later.</summary>
    Object,

    /// <summary>(object, name)</summary>
    GetAttribute,
}
