using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Fairseq2Llama.Gguf.Writing;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Gguf;

/// <summary>What the metadata say of a model in general: what the user gives, its name, and how large it is.</summary>
internal sealed partial class GeneralMetadata
{
    /// <summary>In the order of the converter of llama.cpp (set_gguf_meta_model of gguf-py's metadata.py). Others come after these, as they were given.</summary>
    private static readonly string[] KnownKeys =
    [
        "name", "author", "version", "organization", "finetune", "basename", "description", "quantized_by", "size_label", "license", "license.name", "license.link", "url", "doi", "uuid",
        "repo_url", "source.url", "source.doi", "source.uuid", "source.repo_url",
    ];

    /// <summary>Those whose values are lists, which come last.</summary>
    private static readonly string[] ListKeys = ["tags", "languages"];

    /// <summary>What else needs no <c>general.</c> before it.</summary>
    private static readonly string[] KnownPrefixes = ["base_model.", "dataset."];

    /// <summary>Those that follow from the model itself.</summary>
    private static readonly string[] OwnKeys = [MetadataKeys.Architecture, MetadataKeys.Type, MetadataKeys.FileType, MetadataKeys.QuantizationVersion, MetadataKeys.Alignment];

    private readonly Dictionary<string, object> _given = new(StringComparer.Ordinal);

    /// <param name="given">Keys that begin with <c>general.</c>, with or without that, and their values.</param>
    /// <exception cref="CheckpointException">A key is none, or follows from the model, or comes twice, or a value can't be written.</exception>
    public GeneralMetadata(ImmutableArray<KeyValuePair<string, object>> given)
    {
        foreach (var (name, value) in given)
        {
            var key = KeyOf(name);

            if (OwnKeys.Contains(key))
            {
                throw Wrong($"-Metadata can't set '{key}', which follows from the model.", name);
            }

            if (!_given.TryAdd(key, ToValue(key, value)))
            {
                throw Wrong($"-Metadata has '{key}' twice.", name);
            }
        }
    }

    /// <summary>Whether a key of another GGUF file goes over.</summary>
    public static bool IsCopied(string key) =>
        key.StartsWith(MetadataKeys.GeneralPrefix, StringComparison.Ordinal) && !key.StartsWith(MetadataKeys.SamplingPrefix, StringComparison.Ordinal) && !OwnKeys.Contains(key);

    /// <summary>Adds what is known: of a GGUF file, what that says; otherwise the name of the checkpoint. What the user gives counts more.</summary>
    /// <param name="keys">Gets it.</param>
    /// <param name="name">The name of the checkpoint.</param>
    /// <param name="copied">What that says, if it is a GGUF file; otherwise null.</param>
    /// <param name="tensors">All tensors.</param>
    public void Write(MetadataWriter keys, string name, CopiedMetadata? copied, IEnumerable<PlannedTensor> tensors)
    {
        var values = new Dictionary<string, object>(_given, StringComparer.Ordinal);

        if (copied is not null)
        {
            copied.AddTo(keys, IsCopied);
        }
        else
        {
            values.TryAdd(MetadataKeys.Name, name);
            values.TryAdd(MetadataKeys.SizeLabel, LabelOf(tensors.Sum(tensor => tensor.Shape.ElementCount)));
        }

        string[] known = [.. KnownKeys.Select(key => MetadataKeys.GeneralPrefix + key)];
        string[] lists = [.. ListKeys.Select(key => MetadataKeys.GeneralPrefix + key)];

        foreach (var key in known.Concat(values.Keys.Except(known).Except(lists)).Concat(lists).Where(values.ContainsKey))
        {
            switch (values[key])
            {
                case string text:
                    keys.Add(key, text);
                    break;
                case uint number:
                    keys.Add(key, number);
                    break;
                case string[] texts:
                    keys.Add(key, texts);
                    break;
            }
        }
    }

    /// <summary>How many parameters there are, with two digits at least, as gguf-py's model_weight_count_rounded_notation: <c>8.0B</c>, <c>71B</c>, <c>260K</c>.</summary>
    public static string LabelOf(long count)
    {
        var (scaled, suffix) = count switch
        {
            > 1_000_000_000_000 => (count * 1e-12, "T"),
            > 1_000_000_000 => (count * 1e-9, "B"),
            > 1_000_000 => (count * 1e-6, "M"),
            _ => (count * 1e-3, "K"),
        };

        var whole = Math.Round(scaled, MidpointRounding.ToEven).ToString(CultureInfo.InvariantCulture).TrimStart('0');
        var digits = Math.Max(2 - whole.Length, 0);
        return Math.Round(scaled, digits, MidpointRounding.ToEven).ToString($"F{digits}", CultureInfo.InvariantCulture) + suffix;
    }

    /// <summary>Users of PowerShell need not tell upper from lower case, and programs find a key in lower case only.</summary>
    private static string KeyOf(string name)
    {
        var lower = name.ToLowerInvariant();
        var isKnown = KnownKeys.Concat(ListKeys).Contains(lower) || KnownPrefixes.Any(prefix => lower.StartsWith(prefix, StringComparison.Ordinal));
        var key = isKnown || OwnKeys.Contains(MetadataKeys.GeneralPrefix + lower) ? MetadataKeys.GeneralPrefix + lower : lower;

        return Key().IsMatch(key)
            ? key
            : throw Wrong(
                $"-Metadata has the key '{name}'. Keys are {string.Join(", ", KnownKeys.Concat(ListKeys).Take(4))}, … or others that begin with '{MetadataKeys.GeneralPrefix}', made of letters, digits, '_' and '.'.",
                name);
    }

    /// <summary>Programs refuse a file in which a value has another type than they expect.</summary>
    private static object ToValue(string key, object value)
    {
        var isList = ListKeys.Contains(key[MetadataKeys.GeneralPrefix.Length..]);

        return value switch
        {
            IConvertible number and not bool when key.EndsWith(".count", StringComparison.Ordinal) =>
                uint.TryParse(number.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture, out var count)
                    ? count
                    : throw Wrong($"-Metadata has '{number}' for '{key}', which should be a whole number.", key),
            string { Length: > 0 } text when isList => new[] { text },
            string { Length: > 0 } text => text,
            IEnumerable list and not string when isList && list.Cast<object>().ToArray() is { Length: > 0 } items && items.All(item => item is string { Length: > 0 }) => items.Cast<string>().ToArray(),
            IConvertible number and not (string or bool) when !isList => number.ToString(CultureInfo.InvariantCulture),
            _ => throw Wrong($"-Metadata has a value for '{key}' that is not {(isList ? "a list of texts" : "a text or a number")}, or is empty.", key),
        };
    }

    [GeneratedRegex(@"^general\.[a-z0-9_.]{1,256}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Key();

    private static CheckpointException Wrong(string message, string key) => new(CheckpointErrorCode.MetadataInvalid, message, key);
}
