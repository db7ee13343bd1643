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

    private static readonly string[] ListKeys = ["tags", "languages"];

    /// <summary>Those that follow from the model itself.</summary>
    private static readonly string[] OwnKeys = [MetadataKeys.Architecture, MetadataKeys.Type, MetadataKeys.FileType, MetadataKeys.QuantizationVersion, MetadataKeys.Alignment];

    private readonly Dictionary<string, object> _given = new(StringComparer.Ordinal);

    /// <param name="given">Keys that begin with <c>general.</c>, with or without that, and their values.</param>
    /// <exception cref="CheckpointException">A key is none, or follows from the model, or comes twice, or a value can't be written.</exception>
    public GeneralMetadata(ImmutableArray<KeyValuePair<string, object>> given)
    {
        foreach (var (name, value) in given)
        {
            // Users of PowerShell need not tell upper from lower case, and programs find a key in lower case only.
            var lower = name.ToLowerInvariant();
            var key = lower.StartsWith(MetadataKeys.GeneralPrefix, StringComparison.Ordinal) ? lower : MetadataKeys.GeneralPrefix + lower;

            if (!Key().IsMatch(key))
            {
                throw Wrong($"-Metadata has the key '{name}', which is not made of letters, digits, '_' and '.', or is very long.", name);
            }

            if (OwnKeys.Contains(key))
            {
                throw Wrong($"-Metadata can't set '{key}', which follows from the model.", name);
            }

            if (!_given.TryAdd(key, ToValue(name, value)))
            {
                throw Wrong($"-Metadata has '{key}' twice.", name);
            }
        }
    }

    /// <summary>Adds what is known.</summary>
    public void Write(MetadataWriter keys, LlamaCheckpoint checkpoint, IEnumerable<PlannedTensor> tensors)
    {
        var values = new Dictionary<string, object>(_given, StringComparer.Ordinal);
        values.TryAdd(MetadataKeys.Name, checkpoint.Name);
        values.TryAdd(MetadataKeys.SizeLabel, LabelOf(tensors.Sum(tensor => tensor.Shape.ElementCount)));

        foreach (var key in KnownKeys.Select(key => MetadataKeys.GeneralPrefix + key).Concat(_given.Keys.Except(ListKeys.Select(key => MetadataKeys.GeneralPrefix + key)))
            .Concat(ListKeys.Select(key => MetadataKeys.GeneralPrefix + key)).Distinct().Where(values.ContainsKey))
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

    private static object ToValue(string key, object value) => value switch
    {
        string text => text,
        int number and >= 0 => (uint)number,
        long number and >= 0 and <= uint.MaxValue => (uint)number,
        IEnumerable list when list.Cast<object>().All(item => item is string) => list.Cast<string>().ToArray(),
        _ => throw Wrong($"-Metadata has a value for '{key}' that is neither a text, nor a whole number of 32 bits, nor a list of texts.", key),
    };

    [GeneratedRegex(@"^general\.[a-z0-9_.]{1,256}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Key();

    private static CheckpointException Wrong(string message, string key) => new(CheckpointErrorCode.MetadataInvalid, message, key);
}
