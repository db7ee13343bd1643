namespace Fairseq2Llama;

/// <summary>The forms of params.json, by their readers.</summary>
public enum ParamsLayout
{
    /// <summary><c>{"model": {…}}</c>, as fairseq2's converter wrote it; Hugging Face's converter takes it.</summary>
    Nested,

    /// <summary>
    /// Without the wrapper and with <c>vocab_size</c>, as Meta's own loaders want it. They disagree on <c>rope_theta</c>, so it is
    /// <see cref="Llama2"/> or <see cref="Llama3"/>, whichever suits the model.
    /// </summary>
    Flat,

    /// <summary>
    /// Flat and without <c>rope_theta</c>, which the loader of meta-llama/llama refuses; it computes with 10000. The loaders of
    /// <see cref="Llama3"/> would compute with 500000.
    /// </summary>
    Llama2,

    /// <summary>
    /// Flat and always with <c>rope_theta</c>, for the loaders of meta-llama/llama3 and meta-llama/llama-models; only the latter takes
    /// <c>use_scaled_rope</c>.
    /// </summary>
    Llama3,
}
