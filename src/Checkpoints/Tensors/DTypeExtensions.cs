using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>Properties of a <see cref="DType"/>.</summary>
public static class DTypeExtensions
{
    /// <summary>Bytes that one element takes.</summary>
    /// <exception cref="InvalidOperationException">It is a quantized type, of which only blocks of elements are a number of bytes.</exception>
    public static int GetItemSize(this DType dtype) => DTypeInfo.Of(dtype).ItemSize;

    /// <summary>PyTorch's name for it, without the module: <c>bfloat16</c>; for a quantized type ggml's, such as <c>q8_0</c>.</summary>
    public static string GetTorchName(this DType dtype) => DTypeInfo.Of(dtype).TorchName;

    /// <summary>Whether several of its elements have one scale, so that none has bytes of its own.</summary>
    public static bool IsQuantized(this DType dtype) => DTypeInfo.Of(dtype).IsQuantized;
}
