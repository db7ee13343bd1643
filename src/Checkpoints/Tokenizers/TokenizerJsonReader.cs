using System.Collections.Immutable;
using System.Text.Json;

namespace Fairseq2Llama.Tokenizers;

/// <summary>Reads a tokenizer.json token by token, because most of it are hundreds of thousands of entries of the vocabulary and merges.</summary>
/// <param name="file">The file, for errors.</param>
internal sealed class TokenizerJsonReader(string file)
{
    private readonly Dictionary<string, int> _vocabulary = new(StringComparer.Ordinal);
    private readonly List<(string Left, string Right)> _merges = [];

    /// <exception cref="CheckpointException">It contradicts itself, or is a tokenizer of another kind.</exception>
    /// <exception cref="JsonException">It is not the JSON of a tokenizer.</exception>
    public TokenizerJson Read(Utf8JsonReader json)
    {
        var (added, preTokenizer, postProcessor) = (ImmutableArray<AddedToken>.Empty, default(JsonElement), default(JsonElement));
        Model? model = null;
        Require(ref json, JsonTokenType.StartObject);

        while (ReadName(ref json) is { } name)
        {
            switch (name)
            {
                case "added_tokens":
                    added = ReadAddedTokens(JsonElement.ParseValue(ref json));
                    break;
                case "pre_tokenizer":
                    preTokenizer = JsonElement.ParseValue(ref json);
                    break;
                case "post_processor":
                    postProcessor = JsonElement.ParseValue(ref json);
                    break;
                case "model":
                    model = ReadModel(ref json);
                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        if (json.Read())
        {
            throw new JsonException("Something follows it.");
        }

        var (ignoresMerges, byteFallback) = model ?? throw new JsonException("It has no model.");
        RequireUniqueIds(added);

        return new TokenizerJson
        {
            Vocabulary = _vocabulary,
            MergeList = new([.. _merges.Select((merge, index) => Resolve(merge, index))]),
            IgnoresMerges = ignoresMerges,
            ByteFallback = byteFallback,
            AddedTokens = added,
            Pattern = FindPattern(preTokenizer),
            Templates = [.. ReadTemplates(postProcessor)],
        };
    }

    private static string? ReadName(ref Utf8JsonReader json)
    {
        json.Read();

        if (json.TokenType == JsonTokenType.EndObject)
        {
            return null;
        }

        var name = json.GetString();
        json.Read();
        return name;
    }

    private static void Require(ref Utf8JsonReader json, JsonTokenType type)
    {
        if (json.TokenType == JsonTokenType.None)
        {
            json.Read();
        }

        if (json.TokenType != type)
        {
            throw new JsonException($"It has a {json.TokenType} at byte {json.TokenStartIndex}, not a {type}.");
        }
    }

    private static ImmutableArray<AddedToken> ReadAddedTokens(JsonElement list) => list.ValueKind == JsonValueKind.Null ? [] :
    [
        .. from token in list.EnumerateArray()
           let content = token.GetProperty("content").GetString() ?? throw new JsonException("A token has no text.")
           select new AddedToken(token.GetProperty("id").GetInt32(), content, token.TryGetProperty("special", out var isSpecial) && isSpecial.GetBoolean()),
    ];

    /// <summary>"Split" by an expression, then "ByteLevel" without one of its own.</summary>
    private static string? FindPattern(JsonElement preTokenizer) =>
        TypeOf(preTokenizer) == "Sequence"
        && preTokenizer.GetProperty("pretokenizers") is { ValueKind: JsonValueKind.Array } list
        && list.EnumerateArray().ToArray() is [var split, var bytes]
        && TypeOf(split) == "Split"
        && split.TryGetProperty("pattern", out var pattern)
        && pattern.ValueKind == JsonValueKind.Object
        && pattern.TryGetProperty("Regex", out var expression)
        && Is(split, "behavior", "Isolated")
        && !IsTrue(split, "invert")
        && TypeOf(bytes) == "ByteLevel"
        && !IsTrue(bytes, "use_regex")
        && !IsTrue(bytes, "add_prefix_space")
            ? expression.GetString()
            : null;

    private static IEnumerable<TokenTemplate> ReadTemplates(JsonElement postProcessor)
    {
        if (postProcessor.ValueKind != JsonValueKind.Object)
        {
            return [];
        }

        return
            from processor in postProcessor.TryGetProperty("processors", out var several) ? [.. several.EnumerateArray()] : new[] { postProcessor }
            where TypeOf(processor) == "TemplateProcessing"
            select new TokenTemplate(ReadParts(processor, "single"), ReadParts(processor, "pair"));
    }

    private static ImmutableArray<TemplatePart> ReadParts(JsonElement template, string name) => template.TryGetProperty(name, out var parts)
        ? [.. parts.EnumerateArray().Select(part => new TemplatePart(ReadId(part, "SpecialToken"), ReadId(part, "Sequence")))]
        : [];

    private static string? ReadId(JsonElement part, string name) => part.TryGetProperty(name, out var token) ? token.GetProperty("id").GetString() : null;

    private static string? TypeOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty("type", out var type) ? type.GetString() : null;

    private static bool Is(JsonElement value, string name, string text) => value.TryGetProperty(name, out var other) && other.ValueEquals(text);

    private static bool IsTrue(JsonElement value, string name) => !value.TryGetProperty(name, out var flag) || flag.GetBoolean();

    private Model ReadModel(ref Utf8JsonReader json)
    {
        var (type, ignoresMerges, byteFallback) = (default(string), false, false);
        Require(ref json, JsonTokenType.StartObject);

        while (ReadName(ref json) is { } name)
        {
            switch (name)
            {
                case "type":
                    type = json.GetString();
                    break;
                case "vocab" when json.TokenType == JsonTokenType.StartObject:
                    ReadVocabulary(ref json);
                    break;
                case "merges":
                    ReadMerges(ref json);
                    break;
                case "ignore_merges":
                    ignoresMerges = json.GetBoolean();
                    break;
                case "byte_fallback":
                    byteFallback = json.GetBoolean();
                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        // Old files name no type.
        return type is "BPE" || (type is null && _merges.Count > 0)
            ? new Model(ignoresMerges, byteFallback)
            : throw new CheckpointException(
                CheckpointErrorCode.TokenizerUnsupported,
                $"'{file}' is a tokenizer of the type {type ?? "null"}. Those of LLaMA are of the type BPE.",
                file);
    }

    private void ReadVocabulary(ref Utf8JsonReader json)
    {
        while (ReadName(ref json) is { } text)
        {
            var id = json.GetInt32();
            _vocabulary[text] = id >= 0 ? id : throw new JsonException($"The token '{text}' has the number {id}.");
        }
    }

    /// <summary>Pairs, or texts with a space between the two, as before tokenizers 0.20.</summary>
    private void ReadMerges(ref Utf8JsonReader json)
    {
        Require(ref json, JsonTokenType.StartArray);

        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            _merges.Add(json.TokenType == JsonTokenType.StartArray ? ReadPair(ref json) : Split(ReadText(ref json)));
        }
    }

    private static (string Left, string Right) ReadPair(ref Utf8JsonReader json)
    {
        json.Read();
        var left = ReadText(ref json);
        json.Read();
        var right = ReadText(ref json);
        json.Read();
        Require(ref json, JsonTokenType.EndArray);
        return (left, right);
    }

    private static string ReadText(ref Utf8JsonReader json) => json.GetString() ?? throw new JsonException("A merge has a part that is null.");

    private static (string Left, string Right) Split(string merge) =>
        merge.Split(' ') is [var left, var right] ? (left, right) : throw new JsonException($"The merge '{merge}' does not have two parts.");

    private Merge Resolve((string Left, string Right) merge, int index) =>
        _vocabulary.TryGetValue(merge.Left, out var left) && _vocabulary.TryGetValue(merge.Right, out var right) && _vocabulary.ContainsKey(merge.Left + merge.Right)
            ? new Merge(left, right)
            : throw CheckpointException.Corrupt(file, $"merge {index}, '{merge.Left}' with '{merge.Right}', is of tokens that it does not have.");

    private void RequireUniqueIds(ImmutableArray<AddedToken> added)
    {
        var texts = new Dictionary<int, string>(_vocabulary.Count);

        foreach (var (text, id) in _vocabulary.Concat(added.Select(token => KeyValuePair.Create(token.Content, token.Id))))
        {
            if (id < 0 || (!texts.TryAdd(id, text) && texts[id] != text))
            {
                throw CheckpointException.Corrupt(file, $"the tokens '{text}' and '{texts.GetValueOrDefault(id)}' both have the number {id}.");
            }
        }

        if (added.FirstOrDefault(token => _vocabulary.TryGetValue(token.Content, out var id) && id != token.Id) is { } other)
        {
            throw CheckpointException.Corrupt(file, $"the token '{other.Content}' has the numbers {other.Id} and {_vocabulary[other.Content]}.");
        }
    }

    private readonly record struct Model(bool IgnoresMerges, bool ByteFallback);
}
