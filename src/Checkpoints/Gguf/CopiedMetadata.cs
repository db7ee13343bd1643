using Fairseq2Llama.Gguf.Writing;

namespace Fairseq2Llama.Gguf;

/// <summary>Metadata of another GGUF file, as they are there. The file is opened once, though what is copied goes to several places of the new one.</summary>
internal sealed class CopiedMetadata
{
    /// <summary>The vocabulary of LLaMA 3 has 8 MB.</summary>
    private const int MaxLength = 256 << 20;

    private readonly List<(string Key, byte[] Value)> _entries = [];

    /// <param name="file">The other file.</param>
    /// <param name="isWanted">Whether a key is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">They can't be read, or are too long.</exception>
    public CopiedMetadata(GgufFile file, Func<string, bool> isWanted, CancellationToken cancellationToken)
    {
        Origin = file.Source.Name;
        MetadataEntry[] entries = [.. file.Metadata.Entries.Where(entry => isWanted(entry.Key))];

        if (entries.Sum(entry => entry.Range.Length) is > MaxLength and var length)
        {
            throw CheckpointException.Corrupt(Origin, $"its vocabulary and what it says of the model are {length} bytes long, more than {MaxLength}.");
        }

        using var reader = file.Source.Open(cancellationToken);
        reader.Expect([.. entries.Select(entry => entry.Range)]);

        foreach (var entry in entries)
        {
            var value = new byte[entry.Range.Length];
            reader.Read(entry.Range.Offset, value);
            _entries.Add((entry.Key, value));
        }

        reader.RequireUnchanged();
    }

    /// <summary>The path of the other file.</summary>
    public string Origin { get; }

    /// <summary>Adds some of them, in their order.</summary>
    /// <param name="keys">Gets them.</param>
    /// <param name="isWanted">Whether a key is.</param>
    public void AddTo(MetadataWriter keys, Func<string, bool> isWanted)
    {
        foreach (var (key, value) in _entries.Where(entry => isWanted(entry.Key)))
        {
            keys.AddRaw(key, value);
        }
    }
}
