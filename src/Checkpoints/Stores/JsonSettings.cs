using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Fairseq2Llama.Stores;

/// <summary>A small JSON object of settings, as configuration files beside weights are.</summary>
internal sealed class JsonSettings
{
    /// <summary>The largest that is known, a list of the tensors of a 405B model, has 100 KB.</summary>
    private const int MaxLength = 16 << 20;

    private readonly JsonElement _object;

    private JsonSettings(string file, JsonElement value)
    {
        File = file;
        _object = value;
    }

    /// <summary>The path of the file that it is in, for messages.</summary>
    public string File { get; }

    /// <summary>All of its entries that are text; of several with the same name, the last.</summary>
    public IReadOnlyDictionary<string, string> Texts => Decode(() => _object.EnumerateObject()
        .Where(property => property.Value.ValueKind == JsonValueKind.String)
        .GroupBy(property => property.Name, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.Last().Value.GetString()!, StringComparer.Ordinal));

    /// <summary>The names of its entries.</summary>
    public IEnumerable<string> Names => Decode(() => _object.EnumerateObject().Select(property => property.Name).ToArray());

    /// <summary>Its entries that are not null, if all of them are objects.</summary>
    public IEnumerable<(string Name, JsonSettings Value)> ObjectEntries =>
        from entry in EntriesOf(JsonValueKind.Object)
        select (entry.Name, new JsonSettings(File, entry.Value));

    /// <summary>Its entries that are not null, if all of them are whole numbers.</summary>
    public IEnumerable<(string Name, int Value)> IntegerEntries =>
        from entry in EntriesOf(JsonValueKind.Number)
        select (entry.Name, entry.Value.TryGetInt32(out var number)
            ? number
            : throw CheckpointException.Corrupt(File, $"'{entry.Name}' is {entry.Value.GetRawText()}, but should be a whole number."));

    /// <exception cref="CheckpointException">It can't be read, or is not a JSON object.</exception>
    public static JsonSettings Read(IByteSource source)
    {
        var text = WholeFile.ReadText(source, MaxLength);

        try
        {
            using var document = JsonDocument.Parse(text);

            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonSettings(source.Name, document.RootElement.Clone())
                : throw CheckpointException.Corrupt(source.Name, "it holds no JSON object.");
        }
        catch (JsonException e)
        {
            throw CheckpointException.Corrupt(source.Name, $"it is not valid JSON: {e.Message}");
        }
    }

    /// <summary>What something in it is; undefined where it is not there.</summary>
    public JsonValueKind KindOf(string name) => Decode(() => _object.TryGetProperty(name, out var value) ? value.ValueKind : JsonValueKind.Undefined);

    /// <summary>Whether something is there, even if it is null.</summary>
    public bool Has(string name) => KindOf(name) != JsonValueKind.Undefined;

    /// <summary>Whether something in it is an object itself.</summary>
    public bool IsObject(string name) => KindOf(name) == JsonValueKind.Object;

    /// <summary>An object within it; null where it is not there, or null.</summary>
    public JsonSettings? Find(string name) => Get(name, JsonValueKind.Object) is { } value ? new JsonSettings(File, value) : null;

    /// <summary>The objects of a list; empty if it is absent or null.</summary>
    public ImmutableArray<JsonSettings> Objects(string name) => Get(name, JsonValueKind.Array) is not { } list ? [] :
    [
        .. list.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Object
            ? new JsonSettings(File, item)
            : throw CheckpointException.Corrupt(File, $"'{name}' contains {Decode(item.GetRawText)}, but should contain objects.")),
    ];

    /// <summary>Whether something in it is a list without elements.</summary>
    public bool IsEmptyList(string name) => Get(name, JsonValueKind.Array) is { } list && list.GetArrayLength() == 0;

    public string? Text(string name) => Decode(() => Get(name, JsonValueKind.String)?.GetString());

    /// <summary>A text, or the "content" of an object, as transformers writes tokens in one way and the other.</summary>
    public string? TextOrContent(string name) =>
        Get(name, JsonValueKind.String, JsonValueKind.Object) is { ValueKind: JsonValueKind.Object } ? Find(name)!.Text("content") : Text(name);

    public bool? Flag(string name) => Get(name, JsonValueKind.True, JsonValueKind.False)?.GetBoolean();

    public double? Number(string name) => Get(name, JsonValueKind.Number)?.GetDouble();

    /// <summary>A whole number; 1.0 is one, too.</summary>
    public int? Integer(string name) => Number(name) switch
    {
        null => null,
        { } number when number == Math.Truncate(number) && Math.Abs(number) <= int.MaxValue => (int)number,
        { } number => throw CheckpointException.Corrupt(
            File, string.Create(CultureInfo.InvariantCulture, $"'{name}' is {number}, but should be a whole number.")),
    };

    /// <summary>A list of whole numbers, or a single one without a list; empty if it is absent or null.</summary>
    public ImmutableArray<int> Integers(string name) => Get(name, JsonValueKind.Number, JsonValueKind.Array) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Number } => [Integer(name)!.Value],
        { } list => [.. list.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number)
            ? number
            : throw CheckpointException.Corrupt(File, $"'{name}' contains {Decode(item.GetRawText)}, but should contain whole numbers."))],
    };

    /// <exception cref="CheckpointException">It is not there.</exception>
    public int Require(string name) => Integer(name) ?? throw CheckpointException.Corrupt(File, $"it has no '{name}'.");

    /// <summary>All at once, because looking for each would take time that grows with the square of their number.</summary>
    private (string Name, JsonElement Value)[] EntriesOf(JsonValueKind kind) => Decode(() => _object.EnumerateObject()
        .Where(property => property.Value.ValueKind != JsonValueKind.Null)
        .Select(property => property.Value.ValueKind == kind
            ? (property.Name, property.Value)
            : throw CheckpointException.Corrupt(File, $"'{property.Name}' can't be {property.Value.GetRawText()}."))
        .ToArray());

    private JsonElement? Get(string name, params JsonValueKind[] kinds)
    {
        var value = Decode(() => _object.TryGetProperty(name, out var found) ? found : default);

        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return null;
        }

        return kinds.Contains(value.ValueKind) ? value : throw CheckpointException.Corrupt(File, $"'{name}' can't be {Decode(value.GetRawText)}.");
    }

    /// <summary>Invalid Unicode in bytes or escapes shows only when they are decoded.</summary>
    private T Decode<T>(Func<T> get)
    {
        try
        {
            return get();
        }
        catch (InvalidOperationException)
        {
            throw CheckpointException.Corrupt(File, "it holds text that is not valid Unicode.");
        }
    }
}
