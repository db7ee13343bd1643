using System.Globalization;
using Fairseq2Llama.Gguf.Writing;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Gguf.Vocabulary;

/// <summary>The tokens of a model by their numbers, as many as its vocabulary has: those of a tokenizer and, for the numbers that it has none for, fillers.</summary>
internal sealed class TokenList
{
    /// <summary>Those of tokens that SentencePiece has not, and of fillers.</summary>
    private const float AddedScore = -1000, FillerScore = -10000;

    private readonly string?[] _texts;
    private readonly float[] _scores;
    private readonly PieceType[] _types;

    private TokenList(int count)
    {
        _texts = new string?[count];
        _scores = [.. Enumerable.Repeat(FillerScore, count)];
        _types = [.. Enumerable.Repeat(PieceType.Unused, count)];
    }

    public int Count => _texts.Length;

    /// <summary>How many are no fillers.</summary>
    public int UsedCount => _texts.Count(text => text is not null);

    /// <summary>Those of SentencePiece (_create_vocab_sentencepiece of the converter); tokens that the model has no room for are left out.</summary>
    /// <param name="model">tokenizer.model.</param>
    /// <param name="files">The files beside it.</param>
    /// <param name="config">tokenizer_config.json; null where there is none.</param>
    /// <param name="count">The number of tokens of the model.</param>
    public static TokenList Of(SentencePieceModel model, TokenizerFiles files, JsonSettings? config, int count)
    {
        var list = new TokenList(count);

        for (var id = 0; id < Math.Min(model.Count, count); id++)
        {
            var (text, score, type) = model.Pieces[id];
            list.Set(id, text, score, type == PieceType.UserDefined ? PieceType.Normal : type);
        }

        if (files.SourceOf(AddedTokens.FileName) is { } added)
        {
            foreach (var (text, id) in JsonSettings.Read(added).IntegerEntries.Where(entry => entry.Value >= 0 && entry.Value < count))
            {
                list.Set(id, text, AddedScore, PieceType.UserDefined);
            }
        }

        foreach (var token in AddedTokens.In(config).Where(token => token.Id < count))
        {
            list.SetAdded(token);
        }

        return list;
    }

    /// <summary>Those of tokenizer.json (get_vocab_base of the converter).</summary>
    /// <param name="tokenizer">tokenizer.json.</param>
    /// <param name="count">The number of tokens of the model; no number of a token is above it.</param>
    public static TokenList Of(TokenizerJson tokenizer, int count)
    {
        var list = new TokenList(count);

        foreach (var (text, id) in tokenizer.Vocabulary)
        {
            list.Set(id, text, 0, PieceType.Normal);
        }

        foreach (var token in tokenizer.AddedTokens)
        {
            list.SetAdded(token);
        }

        return list;
    }

    /// <summary>Writes the tokens, and what else is said of each.</summary>
    public void Write(MetadataWriter keys, bool hasScores)
    {
        keys.Add("tokenizer.ggml.tokens", [.. _texts.Select((text, id) => text ?? string.Create(CultureInfo.InvariantCulture, $"[PAD{id}]"))]);

        if (hasScores)
        {
            keys.Add("tokenizer.ggml.scores", _scores);
        }

        keys.Add("tokenizer.ggml.token_type", [.. _types.Select(type => (int)type)]);
    }

    private void SetAdded(AddedToken token)
    {
        var isControl = token.IsSpecial || LooksSpecial(token.Content);
        Set(token.Id, isControl ? token.Content : token.Content.Replace('▁', ' '), AddedScore, isControl ? PieceType.Control : PieceType.UserDefined);
    }

    private void Set(int id, string text, float score, PieceType type) => (_texts[id], _scores[id], _types[id]) = (text, score, type);

    /// <summary>Some tokenizers do not say of all special tokens that they are (does_token_look_special of the converter).</summary>
    private static bool LooksSpecial(string text) =>
        text is "<pad>" or "<mask>" or "<2mass>" or "[@BOS@]" || IsBetween(text, "<|", "|>") || IsBetween(text, "<｜", "｜>") || IsBetween(text, "<unused", ">");

    private static bool IsBetween(string text, string start, string end) =>
        text.StartsWith(start, StringComparison.Ordinal) && text.EndsWith(end, StringComparison.Ordinal);
}
