namespace Fairseq2Llama.Llama;

/// <summary>The order in which a model's modules come, which is that of its state dict: the embeddings, layer by layer, the rest.</summary>
internal static class ModuleOrder
{
    /// <param name="name">A parameter.</param>
    /// <param name="convention">Whose modules.</param>
    /// <returns>Compares as the parameters come; what LLaMA does not have comes after all others of its layer, or of all.</returns>
    public static (int Place, int Layer, bool IsLast, int Index) Of(ParameterName name, NamingConvention convention)
    {
        var index = name.Parameter is { } parameter ? LlamaParameter.All.IndexOf(parameter) : LlamaParameter.All.Length;

        return name.Layer is { } layer
            ? (1, layer, name.Parameter is null || (convention.HasNormsLast && name.Parameter.Split == TensorSplit.Replicated), index)
            : (name.Parameter == LlamaParameter.Embedding ? 0 : 2, 0, false, index);
    }
}
