using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>Properties of a <see cref="DType"/>.</summary>
public static class DTypeExtensions
{
    /// <summary>Bytes that one element takes.</summary>
    public static int GetItemSize(this DType dtype) => DTypeInfo.Of(dtype).ItemSize;

    /// <summary>PyTorch's name for it, without the module: <c>bfloat16</c>.</summary>
    public static string GetTorchName(this DType dtype) => DTypeInfo.Of(dtype).TorchName;
}
