using System.Collections.Immutable;

namespace Fairseq2Llama.Tokenizers;

/// <summary>What a TemplateProcessing of tokenizer.json puts around one text and around two.</summary>
/// <param name="Single">The parts for one.</param>
/// <param name="Pair">The parts for two.</param>
internal sealed record TokenTemplate(ImmutableArray<TemplatePart> Single, ImmutableArray<TemplatePart> Pair)
{
    /// <summary>One that puts a token before each text.</summary>
    public static TokenTemplate BeginningWith(string token)
    {
        var begin = new TemplatePart(token, null);
        return new([begin, new(null, "A")], [begin, new(null, "A"), begin, new(null, "B")]);
    }
}
