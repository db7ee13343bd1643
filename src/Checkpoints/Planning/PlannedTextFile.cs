namespace Fairseq2Llama.Planning;

/// <summary>A small file whose content is known.</summary>
/// <param name="name">Its name.</param>
/// <param name="content">All of it.</param>
/// <param name="summary">Its content, in a few words.</param>
internal sealed class PlannedTextFile(string name, ReadOnlyMemory<byte> content, string summary) : PlannedFile(name)
{
    public override long Length => content.Length;

    public override string Summary => summary;

    internal override WritePhase Phase => WritePhase.Small;

    internal override WrittenFileCheck? Write(WriteContext context)
    {
        context.Write(this, content.Span);
        return null;
    }
}
