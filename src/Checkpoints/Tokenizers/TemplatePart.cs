namespace Fairseq2Llama.Tokenizers;

/// <summary>A part of a <see cref="TokenTemplate"/>.</summary>
/// <param name="SpecialToken">The text of a special token; null where it is none.</param>
/// <param name="Sequence">The letter that stands for a text, A or B; null where it is none.</param>
internal sealed record TemplatePart(string? SpecialToken, string? Sequence);
