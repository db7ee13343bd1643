using System.Globalization;

namespace Fairseq2Llama.Fairseq2;

/// <summary>A mapping of a YAML file, with typed access to its values. A null value counts as absent.</summary>
internal sealed class ConfigNode
{
    private readonly IReadOnlyDictionary<string, object?> _entries;
    private readonly string _name;
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    private ConfigNode(IReadOnlyDictionary<string, object?> entries, string name)
    {
        _entries = entries;
        _name = name;
    }

    private delegate bool Parse<T>(string text, out T value);

    /// <summary>The keys that were not requested.</summary>
    public IEnumerable<string> Unknown => _entries.Keys.Except(_asked);

    /// <exception cref="FormatException">It is not a mapping.</exception>
    public static ConfigNode Mapping(object? node, string name) => node is IReadOnlyDictionary<string, object?> entries
        ? new ConfigNode(entries, name)
        : throw new FormatException($"{name} is not a mapping of keys to values");

    /// <param name="spellings">The key, or the keys that different versions of fairseq2 use for it.</param>
    public ConfigNode? Child(params IEnumerable<string> spellings) =>
        Find(spellings) is { Value: { } value } entry ? Mapping(value, $"'{entry.Key}'") : null;

    /// <summary>Marks keys as known whose values do not matter.</summary>
    public void Ignore(params IEnumerable<string> keys) => _asked.UnionWith(keys);

    /// <inheritdoc cref="Child"/>
    public string? Text(params IEnumerable<string> spellings) => Find(spellings) switch
    {
        { Value: null } => null,
        { Value: string text } => text,
        var (key, _) => throw Wrong(key, "text"),
    };

    /// <inheritdoc cref="Child"/>
    public int? Integer(params IEnumerable<string> spellings) => Get<int>(
        spellings, "a whole number", (text, out value) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value));

    /// <inheritdoc cref="Child"/>
    public double? Number(params IEnumerable<string> spellings) => Get<double>(
        spellings, "a number", (text, out value) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value));

    /// <inheritdoc cref="Child"/>
    public bool? Flag(params IEnumerable<string> spellings) => Get<bool>(spellings, "true or false", bool.TryParse);

    /// <inheritdoc cref="Child"/>
    public IReadOnlyList<double>? Numbers(params IEnumerable<string> spellings)
    {
        const string Kind = "a list of numbers";

        var (key, value) = Find(spellings);

        return value is null ? null : value is IReadOnlyList<object?> items ? [.. items.Select(Parse)] : throw Wrong(key, Kind);

        double Parse(object? item) => item is string text && double.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong(key, Kind);
    }

    private T? Get<T>(IEnumerable<string> spellings, string kind, Parse<T> parse)
        where T : struct
    {
        var (key, value) = Find(spellings);

        return value is null ? null
            : value is string text && parse(text, out var parsed) ? parsed
            : throw Wrong(key, kind);
    }

    private KeyValuePair<string, object?> Find(IEnumerable<string> spellings)
    {
        _asked.UnionWith(spellings);
        return spellings.Where(_entries.ContainsKey).Select(key => KeyValuePair.Create(key, _entries[key])).FirstOrDefault();
    }

    private FormatException Wrong(string key, string kind) => new($"'{key}' in {_name} is not {kind}");
}
