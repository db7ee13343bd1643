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
    public required ImmutableArray<Merge> Merges { get; init; }

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
}
