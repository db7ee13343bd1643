using Fairseq2Llama.Gguf.Writing;

namespace Fairseq2Llama.Gguf.Vocabulary;

/// <summary>That of another GGUF file, as it is there.</summary>
internal sealed class CopiedVocabulary(GgufFile file, CancellationToken cancellationToken) : IVocabulary
{
    public string Origin => $"that of '{file.Source.Name}'";

    public IEnumerable<string> Warnings => [];

    public void WriteSampling(MetadataWriter keys) => Copy(keys, MetadataKeys.SamplingPrefix);

    public void Write(MetadataWriter keys) => Copy(keys, MetadataKeys.TokenizerPrefix);

    private void Copy(MetadataWriter keys, string prefix) => CopiedMetadata.Add(file, keys, key => key.StartsWith(prefix, StringComparison.Ordinal), cancellationToken);
}
