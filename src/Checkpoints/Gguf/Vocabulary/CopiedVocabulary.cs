using Fairseq2Llama.Gguf.Writing;

namespace Fairseq2Llama.Gguf.Vocabulary;

/// <summary>That of another GGUF file, as it is there.</summary>
internal sealed class CopiedVocabulary(CopiedMetadata copied) : IVocabulary
{
    public string Origin => $"that of '{copied.Origin}'";

    public IEnumerable<string> Warnings => [];

    /// <summary>Whether a key says something of the vocabulary.</summary>
    public static bool IsCopied(string key) => HasPrefix(key, MetadataKeys.SamplingPrefix) || HasPrefix(key, MetadataKeys.TokenizerPrefix);

    public void WriteSampling(MetadataWriter keys) => copied.AddTo(keys, key => HasPrefix(key, MetadataKeys.SamplingPrefix));

    public void Write(MetadataWriter keys) => copied.AddTo(keys, key => HasPrefix(key, MetadataKeys.TokenizerPrefix));

    private static bool HasPrefix(string key, string prefix) => key.StartsWith(prefix, StringComparison.Ordinal);
}
