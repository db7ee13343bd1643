using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tokenizers;

/// <summary>A file of a tokenizer that is not there, and is made of tokenizer.model; it can be read like one that is there.</summary>
/// <param name="name">Its name.</param>
/// <param name="model">The path of tokenizer.model.</param>
/// <param name="make">Makes all of it, when it is first asked for.</param>
internal sealed class MadeFile(string name, string model, Func<byte[]> make) : IByteSource
{
    private readonly Lazy<byte[]> _content = new(make);

    /// <summary>Its name, without a path.</summary>
    public string FileName => name;

    /// <summary>All of it.</summary>
    /// <exception cref="CheckpointException">It can't be made.</exception>
    public ReadOnlyMemory<byte> Content => _content.Value;

    /// <summary>What it says, if it is tokenizer.json; to make a text of that and read it again takes longer than an export.</summary>
    public TokenizerJson? Json { get; init; }

    /// <summary>How it came about, in a few words.</summary>
    public string Origin => $"made of '{model}'";

    public string Name => $"{name}, {Origin}";

    public long Length => Content.Length;

    public IByteReader Open(CancellationToken cancellationToken = default) => new Reader(_content.Value);

    private sealed class Reader(byte[] content) : IByteReader
    {
        public void Read(long offset, Span<byte> buffer) => content.AsSpan((int)offset, buffer.Length).CopyTo(buffer);

        public void RequireUnchanged()
        {
        }

        public void Dispose()
        {
        }
    }
}
