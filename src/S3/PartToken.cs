namespace Fairseq2Llama.S3;

/// <summary>What completing an upload needs of a part, as one text.</summary>
/// <param name="Tag">The part's ETag.</param>
/// <param name="Checksum">The part's CRC-32 as S3 writes it; null where the store has none.</param>
internal readonly record struct PartToken(string Tag, string? Checksum)
{
    /// <summary>Reads what <see cref="ToString"/> has written.</summary>
    public static PartToken Parse(string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        return new PartToken(text[(space + 1)..], space == 0 ? null : text[..space]);
    }

    public override string ToString() => $"{Checksum} {Tag}";
}
