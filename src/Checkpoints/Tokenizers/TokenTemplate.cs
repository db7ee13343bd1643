using System.Collections.Immutable;

namespace Fairseq2Llama.Tokenizers;

/// <summary>What a TemplateProcessing of tokenizer.json puts around one text and around two.</summary>
/// <param name="Single">The parts for one.</param>
/// <param name="Pair">The parts for two.</param>
internal sealed record TokenTemplate(ImmutableArray<TemplatePart> Single, ImmutableArray<TemplatePart> Pair);
