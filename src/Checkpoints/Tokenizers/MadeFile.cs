using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tokenizers;

/// <summary>A file of a tokenizer that is not there, and is made of tokenizer.model; it can be read like one that is there.</summary>
/// <param name="name">Its name.</param>
/// <param name="model">The path of tokenizer.model.</param>
/// <param name="content">All of it.</param>
internal sealed class MadeFile(string name, string model, byte[] content) : IByteSource
{
    /// <summary>Its name, without a path.</summary>
    public string FileName => name;

    /// <summary>All of it.</summary>
    public ReadOnlyMemory<byte> Content => content;

    /// <summary>How it came about, in a few words.</summary>
    public string Origin => $"made of '{model}'";

    public string Name => $"{name}, {Origin}";

    public long Length => content.Length;

    public IByteReader Open(CancellationToken cancellationToken = default) => new Reader(content);

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
