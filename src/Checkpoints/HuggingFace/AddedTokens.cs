using System.Text.Json;
using Fairseq2Llama.Sources;

namespace Fairseq2Llama.HuggingFace;

/// <summary>
/// The numbers of the tokens that are in no vocabulary, such as those that begin and end a text, in tokenizer.json. transformers 4 has them in tokenizer_config.json, too.
/// </summary>
internal static class AddedTokens
{
    /// <summary>That of LLaMA 3.2 has 17 MB.</summary>
    private const int MaxLength = 256 << 20;

    /// <returns>By their text; of several with the same, the first. Empty where there are none.</returns>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public static IReadOnlyDictionary<string, int> Read(IByteSource source)
    {
        if (source.Length is 0 or > MaxLength)
        {
            throw CheckpointException.Corrupt(source.Name, $"it has {source.Length} bytes, which no tokenizer has.");
        }

        using var reader = source.Open();
        var text = new byte[source.Length];
        reader.Read(0, text);

        try
        {
            return Read(new Utf8JsonReader(text.AsSpan(text.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0)));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw CheckpointException.Corrupt(source.Name, $"it is no JSON as tokenizers have it: {e.Message}");
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

    private static Dictionary<string, int> Index(JsonElement tokens) => (
        from token in tokens.EnumerateArray()
        let number = token.GetProperty("id").TryGetInt32(out var id) ? id : throw new JsonException("The id of a token is no number.")
        let content = token.GetProperty("content").GetString()
        where content is not null
        select (content, number)).DistinctBy(token => token.content).ToDictionary(token => token.content, token => token.number, StringComparer.Ordinal);
}
