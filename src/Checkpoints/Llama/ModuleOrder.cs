namespace Fairseq2Llama.Llama;

/// <summary>The order in which a model's modules come, which is that of its state dict: the embeddings, layer by layer, the rest.</summary>
internal static class ModuleOrder
{
    /// <param name="name">A parameter.</param>
    /// <param name="convention">Whose modules.</param>
    /// <returns>
    /// Compares as the parameters come, biases after the weights that they belong to; what LLaMA does not have comes after all others of its layer, or
    /// of all.
    /// </returns>
    public static (int Place, int Layer, bool IsLast, int Index, bool IsUnknown) Of(ParameterName name, NamingConvention convention)
    {
        var index = name.Module is { } module ? LlamaParameter.All.IndexOf(module) : LlamaParameter.All.Length;

        return name.Layer is { } layer
            ? (1, layer, name.Module is null || (convention.HasNormsLast && name.Module.Split == TensorSplit.Replicated), index, name.Parameter is null)
            : (name.Module == LlamaParameter.Embedding ? 0 : 2, 0, false, index, name.Parameter is null);
    }
}
