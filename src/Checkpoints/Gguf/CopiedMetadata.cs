using Fairseq2Llama.Gguf.Writing;

namespace Fairseq2Llama.Gguf;

/// <summary>Metadata of another GGUF file, as they are there.</summary>
internal static class CopiedMetadata
{
    /// <summary>The vocabulary of LLaMA 3 has 8 MB.</summary>
    private const int MaxLength = 256 << 20;

    /// <param name="file">The other file.</param>
    /// <param name="keys">Gets them, in their order.</param>
    /// <param name="isWanted">Whether a key is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">They can't be read, or are too long.</exception>
    public static void Add(GgufFile file, MetadataWriter keys, Func<string, bool> isWanted, CancellationToken cancellationToken)
    {
        MetadataEntry[] entries = [.. file.Metadata.Entries.Where(entry => isWanted(entry.Key))];

        if (entries.Sum(entry => entry.Range.Length) is > MaxLength and var length)
        {
            throw CheckpointException.Corrupt(file.Source.Name, $"its vocabulary and what it says of the model are {length} bytes long, more than {MaxLength}.");
        }

        using var reader = file.Source.Open(cancellationToken);
        reader.Expect([.. entries.Select(entry => entry.Range)]);

        foreach (var entry in entries)
        {
            var value = new byte[entry.Range.Length];
            reader.Read(entry.Range.Offset, value);
            keys.AddRaw(entry.Key, value);
        }

        reader.RequireUnchanged();
    }
}
