namespace Fairseq2Llama.Conversion;

/// <summary>A small file whose content is known.</summary>
internal sealed class PlannedTextFile(string name, ReadOnlyMemory<byte> content) : PlannedFile(name)
{
    public ReadOnlyMemory<byte> Content => content;

    public override long Length => content.Length;

    public override string Summary => "the architecture";
}
