using System.Collections.Immutable;

namespace Fairseq2Llama.Llama;

/// <summary>The tokens that begin and end a text.</summary>
/// <param name="Begin">The one that a text begins with; none where that is not known.</param>
/// <param name="End">Those that end one; none where they are not known.</param>
internal sealed record SpecialTokens(ImmutableArray<int> Begin, ImmutableArray<int> End)
{
    /// <summary>The vocabulary of LLaMA 3 and of models based on it has this many tokens before its special tokens.</summary>
    private const int Llama3Words = 128_000;

    /// <summary>Of the three tokens that end a text of LLaMA 3's instruct models, the one that ends a turn.</summary>
    private const int Llama3EndOfTurn = 128_009;

    /// <summary>None is known.</summary>
    public static readonly SpecialTokens Unknown = new([], []);

    /// <summary>The token that ends a text, where there is room for one only: the one that ends a turn of a conversation, or the first.</summary>
    public int? OnlyEnd => End.Contains(Llama3EndOfTurn) ? Llama3EndOfTurn : End.IsEmpty ? null : End[0];

    /// <summary>Those of the published base models with a vocabulary of that size.</summary>
    public static SpecialTokens OfVocabulary(int size) => IsOfLlama3(size) ? new([Llama3Words], [Llama3Words + 1]) : new([1], [2]);

    /// <summary>The token for what is in no vocabulary, which LLaMA 3 does not need.</summary>
    public static int? UnknownOf(int vocabularySize) => IsOfLlama3(vocabularySize) ? null : 0;

    /// <summary>These tokens as far as they are known, otherwise the others.</summary>
    public SpecialTokens Or(SpecialTokens? others) => others is null ? this : new(Begin.IsEmpty ? others.Begin : Begin, End.IsEmpty ? others.End : End);

    private static bool IsOfLlama3(int vocabularySize) => vocabularySize > Llama3Words + 1;
}
