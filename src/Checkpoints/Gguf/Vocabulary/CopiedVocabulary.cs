using Fairseq2Llama.Gguf.Writing;

namespace Fairseq2Llama.Gguf.Vocabulary;

/// <summary>That of another GGUF file, as it is there.</summary>
internal sealed class CopiedVocabulary(GgufFile file, CancellationToken cancellationToken) : IVocabulary
{
    /// <summary>That of LLaMA 3 has 8 MB.</summary>
    private const int MaxLength = 256 << 20;

    private const string SamplingPrefix = "general.sampling.";

    public void WriteSampling(MetadataWriter keys) => Copy(keys, SamplingPrefix);

    public void Write(MetadataWriter keys) => Copy(keys, MetadataKeys.TokenizerPrefix);

    private void Copy(MetadataWriter keys, string prefix)
    {
        MetadataEntry[] entries = [.. file.Metadata.Entries.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))];

        if (entries.Sum(entry => entry.Range.Length) is > MaxLength and var length)
        {
            throw CheckpointException.Corrupt(file.Source.Name, $"its vocabulary is {length} bytes long, more than {MaxLength}.");
        }

        using var reader = file.Source.Open(cancellationToken);

        foreach (var entry in entries)
        {
            var value = new byte[entry.Range.Length];
            reader.Read(entry.Range.Offset, value);
            keys.AddRaw(entry.Key, value);
        }

        reader.RequireUnchanged();
    }
}
