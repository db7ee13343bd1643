namespace Fairseq2Llama.Llama;

/// <summary>How one of the three formats names parameters.</summary>
/// <param name="LayersPrefix">What the names of a decoder layer's parameters begin with; <c>N</c> stands for the layer.</param>
/// <param name="PrefixOf">Its name of a kind of parameter, up to the last dot.</param>
internal sealed record NamingConvention(string LayersPrefix, Func<LlamaParameter, string> PrefixOf)
{
    public static readonly NamingConvention Fairseq2 = new("decoder.layers.N.", parameter => parameter.Fairseq2Prefix);

    public static readonly NamingConvention Reference = new("layers.N.", parameter => parameter.ReferencePrefix);

    public static readonly NamingConvention HuggingFace = new("model.layers.N.", parameter => parameter.HuggingFacePrefix);
}
