namespace Fairseq2Llama;

/// <summary>The two forms of params.json that are about.</summary>
public enum ParamsLayout
{
    /// <summary><c>{"model": {…}}</c>, as fairseq2's converter wrote it; Hugging Face's converter takes it.</summary>
    Nested,

    /// <summary>Without the wrapper and with <c>vocab_size</c>, as Meta's own loaders want it.</summary>
    Flat,
}
