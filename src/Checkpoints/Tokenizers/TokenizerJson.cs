using System.Collections.Immutable;
using System.Text.Json;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tokenizers;

/// <summary>tokenizer.json of Hugging Face's tokenizers, with a vocabulary of byte-pair encoding; everything that says what the tokens are.</summary>
internal sealed record TokenizerJson
{
    public const string FileName = "tokenizer.json";

    /// <summary>That of LLaMA 3.2 has 17 MB.</summary>
    internal const int MaxLength = 256 << 20;

    /// <summary>The tokens of the vocabulary, with their numbers. Some added tokens may be among them.</summary>
    public required IReadOnlyDictionary<string, int> Vocabulary { get; init; }

    /// <summary>Its merges, the most important first, by the numbers of tokens.</summary>
    /// <exception cref="CheckpointException">There are too many.</exception>
    public ImmutableArray<Merge> Merges => MergeList.Value;

    /// <summary>Not everybody needs them, and those of tokenizer.model have to be found.</summary>
    public required Lazy<ImmutableArray<Merge>> MergeList { private get; init; }

    /// <summary>Whether a word that is a token is one, whatever the merges would make of it.</summary>
    public bool IgnoresMerges { get; init; }

    /// <summary>Whether what is in no token becomes tokens of its bytes, as with SentencePiece.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>The tokens beside the vocabulary, in the order of the file.</summary>
    public ImmutableArray<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>The expression that divides a text into words, if there is one before byte-level tokens, and nothing else.</summary>
    public string? Pattern { get; init; }

    /// <summary>What is put around a text.</summary>
    public ImmutableArray<TokenTemplate> Templates { get; init; } = [];

    /// <summary>What is made of a model of SentencePiece.</summary>
    /// <param name="model">One with byte-pair encoding.</param>
    /// <param name="file">Its path, for errors.</param>
    public static TokenizerJson Of(SentencePieceModel model, string file) => new()
    {
        Vocabulary = IndexOf(model.Pieces.Select(piece => piece.Text)),
        MergeList = new(() => Tokenizers.Merges.OfScores(model.Pieces, file)),
        ByteFallback = model.ByteFallback,

        // These are found in a text wherever they are.
        AddedTokens =
        [
            .. from id in Enumerable.Range(0, model.Count)
               let piece = model.Pieces[id]
               where piece.Type is PieceType.Unknown or PieceType.Control or PieceType.UserDefined
               select new AddedToken(id, piece.Text, piece.Type != PieceType.UserDefined),
        ],
        Templates = model.BeginId is { } begin ? [TokenTemplate.BeginningWith(model.Pieces[begin].Text)] : [],
    };

    /// <summary>What is made of a model of LLaMA 3.</summary>
    /// <param name="model">The model.</param>
    /// <param name="special">The special tokens that follow it.</param>
    /// <param name="file">Its path, for errors.</param>
    public static TokenizerJson Of(TiktokenModel model, IReadOnlyList<string> special, string file) => new()
    {
        Vocabulary = IndexOf(model.Tokens),
        MergeList = new(() => Tokenizers.Merges.OfRanks(model.Tokens, file)),
        IgnoresMerges = true,
        AddedTokens = [.. special.Select((text, index) => new AddedToken(model.Count + index, text, IsSpecial: true))],
        Pattern = Llama3Tokens.Pattern,
        Templates = [TokenTemplate.BeginningWith(Llama3Tokens.Begin)],
    };

    /// <param name="source">The file.</param>
    /// <exception cref="CheckpointException">It can't be read, is damaged, or is a tokenizer of another kind.</exception>
    public static TokenizerJson Read(IByteSource source)
    {
        var text = WholeFile.ReadText(source, MaxLength);

        try
        {
            return new TokenizerJsonReader(source.Name).Read(new Utf8JsonReader(text.Span));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw CheckpointException.Corrupt(source.Name, $"it is not the JSON of a tokenizer: {e.Message}");
        }
    }

    /// <summary>Of several that are the same, the last counts.</summary>
    private static Dictionary<string, int> IndexOf(IEnumerable<string> tokens)
    {
        var index = new Dictionary<string, int>(StringComparer.Ordinal);

        foreach (var (token, id) in tokens.Select((token, id) => (token, id)))
        {
            index[token] = id;
        }

        return index;
    }
}
