using Fairseq2Llama.Llama;

namespace Fairseq2Llama.HuggingFace;

/// <summary>
/// The order of transformers' modules (modeling_llama.py): within a layer the norms come last. By it its save_pretrained fills one file after the
/// other, and within a file safetensors orders by name.
/// </summary>
internal static class ModuleOrder
{
    /// <returns>Compares as the parameters come; what LLaMA does not have comes after all others of its layer, or of all.</returns>
    public static (int Place, int Layer, bool IsNorm, int Index) Of(ParameterName name)
    {
        var index = name.Parameter is { } parameter ? LlamaParameter.All.IndexOf(parameter) : LlamaParameter.All.Length;

        return name.Layer is { } layer
            ? (1, layer, name.Parameter is null or { Split: TensorSplit.Replicated }, index)
            : (name.Parameter == LlamaParameter.Embedding ? 0 : 2, 0, false, index);
    }
}
