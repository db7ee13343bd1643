using System.Globalization;
using System.Text.Json;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.HuggingFace;

/// <summary>
/// The numbers of the tokens that are in no vocabulary, such as those that begin and end a text, by their text; of several with the same, the
/// first. They stand in tokenizer.json, and transformers 4 has them in tokenizer_config.json, too.
/// </summary>
internal static class AddedTokens
{
    /// <summary>That of LLaMA 3.2 has 17 MB.</summary>
    private const int MaxLength = 256 << 20;

    /// <param name="decoder">"added_tokens_decoder" of tokenizer_config.json: tokens by their numbers.</param>
    public static IReadOnlyDictionary<string, int> Of(JsonSettings decoder) => Index(
        from id in decoder.Names
        let number = int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : -1
        where number >= 0
        select (decoder.Find(id)?.Text("content"), number));

    /// <param name="source">tokenizer.json.</param>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public static IReadOnlyDictionary<string, int> Read(IByteSource source)
    {
        var text = WholeFile.ReadText(source, MaxLength);

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
