using Fairseq2Llama.Gguf.Writing;

namespace Fairseq2Llama.Gguf.Vocabulary;

/// <summary>That of another GGUF file, as it is there.</summary>
internal sealed class CopiedVocabulary(GgufFile file, CancellationToken cancellationToken) : IVocabulary
{
    private const string SamplingPrefix = "general.sampling.";

    public void WriteSampling(MetadataWriter keys) => Copy(keys, SamplingPrefix);

    public void Write(MetadataWriter keys) => Copy(keys, MetadataKeys.TokenizerPrefix);

    private void Copy(MetadataWriter keys, string prefix)
    {
        using var reader = file.Source.Open(cancellationToken);

        foreach (var entry in file.Metadata.Entries.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal)))
        {
            var value = new byte[entry.Range.Length];
            reader.Read(entry.Range.Offset, value);
            keys.AddRaw(entry.Key, value);
        }

        reader.RequireUnchanged();
    }
}
