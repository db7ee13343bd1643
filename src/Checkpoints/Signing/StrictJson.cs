using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;

namespace Fairseq2Llama.Signing;

/// <summary>The error for a file.</summary>
/// <param name="file">Its path.</param>
/// <param name="problem">What is wrong with it, in a sentence.</param>
internal delegate CheckpointException Rejection(string file, string problem);

/// <summary>
/// An object of JSON that was signed, or holds what was. What one program reads in it, every other must read, too: a key that stands there twice
/// is refused, because some programs take the first and others the last.
/// </summary>
internal sealed class StrictJson
{
    /// <summary>Bytes. A model of 100,000 files has a statement of 20 MB.</summary>
    public const int MaxLength = 64 << 20;

    private const int MaxDepth = 32;

    private readonly JsonElement _object;
    private readonly string _what;
    private readonly Rejection _reject;

    private StrictJson(string file, string what, JsonElement value, Rejection reject)
    {
        File = file;
        _what = what;
        _object = value;
        _reject = reject;
    }

    /// <summary>The path of the file that it is in, for messages.</summary>
    public string File { get; }

    /// <param name="text">All of the JSON.</param>
    /// <param name="file">The path of the file that it is in.</param>
    /// <param name="what">What it is of that file.</param>
    /// <param name="reject">Makes an error; by default, one for a signature.</param>
    /// <exception cref="CheckpointException">It is not one JSON object, or can be read in more than one way.</exception>
    public static StrictJson Parse(ReadOnlyMemory<byte> text, string file, string what, Rejection? reject = null)
    {
        reject ??= RejectSignature;

        if (text.Length > MaxLength)
        {
            throw reject(file, $"{what} is {text.Length} bytes long, and at most {MaxLength} are read.");
        }

        if (!Utf8.IsValid(text.Span))
        {
            throw reject(file, $"{what} is not UTF-8.");
        }

        try
        {
            if (FindRepeatedKey(text.Span) is { } key)
            {
                throw reject(file, $"{what} has the key '{key}' twice in an object.");
            }

            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = MaxDepth });

            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new StrictJson(file, what, document.RootElement.Clone(), reject)
                : throw reject(file, $"{what} is not a JSON object.");
        }
        catch (JsonException)
        {
            throw reject(file, $"{what} is not valid JSON, or is nested deeper than {MaxDepth}.");
        }
        catch (InvalidOperationException)
        {
            throw reject(file, $"{what} has a key that is not valid Unicode.");
        }
    }

    /// <summary>Whether something is there that is not null.</summary>
    public bool Has(string name) => Value(name) is not null;

    /// <summary>A text; null where it is not there, or null.</summary>
    public string? FindText(string name) => Get(name, JsonValueKind.String) is { } value ? Decode(name, value) : null;

    /// <exception cref="CheckpointException">It is not there, or is something else.</exception>
    public string Text(string name) => FindText(name) ?? throw Missing(name);

    /// <exception cref="CheckpointException">It is not there, or is something else.</exception>
    public bool Flag(string name) => Value(name) switch
    {
        null => throw Missing(name),
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(name),
    };

    /// <summary>The bytes of a text in Base64.</summary>
    /// <exception cref="CheckpointException">It is not there, or is something else.</exception>
    public byte[] Bytes(string name) => StrictBase64.Decode(Text(name)) ?? throw Invalid($"'{name}' of {_what} is not Base64.");

    /// <summary>An object within it; null where it is not there, or null.</summary>
    public StrictJson? Find(string name) => Get(name, JsonValueKind.Object) is { } value ? new StrictJson(File, _what, value, _reject) : null;

    /// <exception cref="CheckpointException">It is not there, or is something else.</exception>
    public StrictJson Object(string name) => Find(name) ?? throw Missing(name);

    /// <summary>The objects of a list; empty if it is absent or null.</summary>
    public ImmutableArray<StrictJson> Objects(string name) =>
        [.. Items(name).Select(item => item.ValueKind == JsonValueKind.Object ? new StrictJson(File, _what, item, _reject) : throw Wrong(name))];

    /// <summary>The texts of a list; empty if it is absent or null.</summary>
    public ImmutableArray<string> Texts(string name) =>
        [.. Items(name).Select(item => item.ValueKind == JsonValueKind.String ? Decode(name, item) : throw Wrong(name))];

    /// <summary>A whole number that is not negative.</summary>
    /// <exception cref="CheckpointException">It is not there, or is something else.</exception>
    public long Size(string name) => Get(name, JsonValueKind.Number) is { } value ? ToSize(name, value) : throw Missing(name);

    /// <summary>A number; null if it is absent.</summary>
    /// <exception cref="CheckpointException">It is something else.</exception>
    public double? FindNumber(string name) => Get(name, JsonValueKind.Number)?.GetDouble();

    /// <summary>The whole numbers of a list, which are not negative.</summary>
    /// <exception cref="CheckpointException">It is not there, or is something else.</exception>
    public ImmutableArray<long> Sizes(string name) => Has(name) ? [.. Items(name).Select(item => ToSize(name, item))] : throw Missing(name);

    /// <summary>All entries, each of which is a text.</summary>
    public IEnumerable<KeyValuePair<string, string>> TextEntries => _object.EnumerateObject().Select(entry => KeyValuePair.Create(entry.Name, Text(entry.Name)));

    /// <summary>Something about the file that makes it useless.</summary>
    public CheckpointException Invalid(string problem) => _reject(File, problem);

    /// <summary>Something about the file that may be right, but that can't be verified here.</summary>
    public CheckpointException Unsupported(string sentences) =>
        new(CheckpointErrorCode.SignatureInvalid, $"'{File}' is a signature that can't be verified here: {sentences}", File);

    private static CheckpointException RejectSignature(string file, string problem) => new(
        CheckpointErrorCode.SignatureInvalid, $"'{file}' is not a signature that can be verified: {problem} Get the file again, or ask whoever signed for another.", file);

    /// <summary>Decodes every key, since a key can be written in several ways.</summary>
    private static string? FindRepeatedKey(ReadOnlySpan<byte> text)
    {
        var json = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaxDepth });
        var objects = new Stack<HashSet<string>>();

        while (json.Read())
        {
            switch (json.TokenType)
            {
                case JsonTokenType.StartObject:
                    objects.Push(new HashSet<string>(StringComparer.Ordinal));
                    break;
                case JsonTokenType.EndObject:
                    objects.Pop();
                    break;
                case JsonTokenType.PropertyName when json.GetString()! is var key && !objects.Peek().Add(key):
                    return key;
            }
        }

        return null;
    }

    private JsonElement.ArrayEnumerator Items(string name) => Get(name, JsonValueKind.Array)?.EnumerateArray() ?? default;

    private JsonElement? Value(string name) => _object.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private JsonElement? Get(string name, JsonValueKind kind) => Value(name) is not { } value ? null : value.ValueKind == kind ? value : throw Wrong(name);

    private long ToSize(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var size) && size >= 0 ? size : throw Wrong(name);

    private string Decode(string name, JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Invalid($"'{name}' of {_what} is not valid Unicode.");
        }
    }

    private CheckpointException Missing(string name) => Invalid($"{_what} has no '{name}'.");

    private CheckpointException Wrong(string name) => Invalid($"'{name}' of {_what} is of the wrong type.");
}
