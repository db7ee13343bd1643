namespace Fairseq2Llama.Llama;

/// <summary>How one of the formats names parameters, and orders the rows of those that are rotated.</summary>
/// <param name="LayersPrefix">The prefix of the names of a decoder layer's parameters; <c>N</c> stands for the layer.</param>
/// <param name="PrefixOf">Its name of a kind of parameter, up to the last dot.</param>
/// <param name="IsHalfSplit">
/// Whether the two rows of a rotary pair lie half a head apart in it, and not side by side; see <see cref="RotaryLayout"/>.
/// </param>
/// <param name="HasNormsLast">Whether they are the last modules of a layer, as in transformers' modeling_llama.py.</param>
/// <param name="ComputedSuffixes">
/// What the names of tensors end with that are computed from the architecture and that some programs saved nevertheless.
/// </param>
internal sealed record NamingConvention(
    string LayersPrefix, Func<LlamaParameter, string> PrefixOf, bool IsHalfSplit = false, bool HasNormsLast = false, IReadOnlyList<string>? ComputedSuffixes = null)
{
    public static readonly NamingConvention Fairseq2 = new("decoder.layers.N.", parameter => parameter.Fairseq2Prefix);

    public static readonly NamingConvention Reference = new("layers.N.", parameter => parameter.ReferencePrefix, ComputedSuffixes: ["rope.freqs", "freqs_cis"]);

    public static readonly NamingConvention HuggingFace = new(
        "model.layers.N.", parameter => parameter.HuggingFacePrefix, IsHalfSplit: true, HasNormsLast: true, ComputedSuffixes: ["rotary_emb.inv_freq"]);

    public static readonly NamingConvention Gguf = new("blk.N.", parameter => parameter.GgufPrefix, ComputedSuffixes: ["rope_freqs.weight"]);
}
