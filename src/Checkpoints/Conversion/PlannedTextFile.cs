namespace Fairseq2Llama.Conversion;

/// <summary>A small file whose content is known.</summary>
/// <param name="name">Its name.</param>
/// <param name="content">All of it.</param>
/// <param name="isShared">Whether other jobs write the same file into the same folder at the same time, each with its own shards.</param>
internal sealed class PlannedTextFile(string name, ReadOnlyMemory<byte> content, bool isShared) : PlannedFile(name)
{
    public bool IsShared => isShared;

    public ReadOnlyMemory<byte> Content => content;

    /// <summary>Whether a file is there and has this very content.</summary>
    public bool IsAlreadyAt(string path) => File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(content.Span);

    public override long Length => content.Length;

    public override string Summary => "the architecture";
}
