using System.Globalization;
using System.Text.Json;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tokenizers;

/// <summary>
/// The numbers of the tokens that are in no vocabulary, such as those that begin and end a text, by their text; of several with the same, the
/// first. They stand in tokenizer.json, and transformers 4 has them in tokenizer_config.json, too.
/// </summary>
internal static class AddedTokens
{
    /// <summary>A file with tokens beside the vocabulary, which transformers writes beside tokenizer.model.</summary>
    public const string FileName = "added_tokens.json";

    /// <summary>Those of "added_tokens_decoder", in the order of the file; what has no number or no text is no token.</summary>
    /// <param name="config">tokenizer_config.json; null where there is none.</param>
    public static IEnumerable<AddedToken> In(JsonSettings? config) =>
        from entry in config?.Find("added_tokens_decoder")?.ObjectEntries ?? []
        let id = int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : -1
        let content = entry.Value.Text("content")
        where id >= 0 && content is not null
        select new AddedToken(id, content, entry.Value.Flag("special") ?? false);

    /// <param name="config">tokenizer_config.json.</param>
    public static IReadOnlyDictionary<string, int> Of(JsonSettings config) => Index(In(config).Select(token => ((string?)token.Content, token.Id)));

    /// <param name="source">tokenizer.json.</param>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public static IReadOnlyDictionary<string, int> Read(IByteSource source)
    {
        var text = WholeFile.ReadText(source, TokenizerJson.MaxLength);

        try
        {
            return Read(new Utf8JsonReader(text.Span));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw CheckpointException.Corrupt(source.Name, $"it is not the JSON of a tokenizer: {e.Message}");
        }
    }

    /// <summary>Passes over the vocabulary, which is hundreds of thousands of entries.</summary>
    private static Dictionary<string, int> Read(Utf8JsonReader json)
    {
        for (json.Read(); json.Read() && json.TokenType == JsonTokenType.PropertyName;)
        {
            var isWanted = json.ValueTextEquals("added_tokens");
            json.Read();

            if (isWanted)
            {
                return Index(JsonElement.ParseValue(ref json));
            }

            json.Skip();
        }

        return [];
    }

    private static Dictionary<string, int> Index(JsonElement tokens) => Index(
        from token in tokens.EnumerateArray()
        let number = token.GetProperty("id").TryGetInt32(out var id) ? id : throw new JsonException("The id of a token is not a number.")
        select (token.GetProperty("content").GetString(), number));

    private static Dictionary<string, int> Index(IEnumerable<(string? Text, int Number)> tokens) => tokens
        .Where(token => token.Text is not null)
        .DistinctBy(token => token.Text)
        .ToDictionary(token => token.Text!, token => token.Number, StringComparer.Ordinal);
}
