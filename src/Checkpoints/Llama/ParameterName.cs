using System.Globalization;

namespace Fairseq2Llama.Llama;

/// <summary>A fairseq2 parameter name, taken apart and held against the table of <see cref="LlamaParameter"/>.</summary>
internal sealed record ParameterName
{
    private static readonly string Layers = LlamaParameter.LayersPrefix[..^"N.".Length];

    private readonly LlamaParameter? _module;
    private readonly string _suffix = "";

    private ParameterName(string name)
    {
        Name = name;
        Layer = FindLayer(name, out var rest);

        foreach (var parameter in LlamaParameter.All)
        {
            var prefix = parameter.Fairseq2Prefix.AsSpan(parameter.IsPerLayer ? LlamaParameter.LayersPrefix.Length : 0);

            if (parameter.IsPerLayer == (Layer is not null) && rest.StartsWith(prefix, StringComparison.Ordinal))
            {
                _module = parameter;
                _suffix = rest.Length == prefix.Length + LlamaParameter.Suffix.Length && rest.EndsWith(LlamaParameter.Suffix, StringComparison.Ordinal)
                    ? LlamaParameter.Suffix
                    : rest[prefix.Length..].ToString();
                return;
            }
        }
    }

    public string Name { get; }

    /// <summary>The layer's index, or null outside of the layers.</summary>
    public int? Layer { get; }

    /// <summary>The parameter that it is, or null when LLaMA has none of that name.</summary>
    public LlamaParameter? Parameter => _suffix == LlamaParameter.Suffix ? _module : null;

    /// <summary>Its name in the reference format; for an unknown parameter below a known module (a bias) too.</summary>
    public string? ReferenceName => _module is null ? null : InLayer(_module.ReferencePrefix, Layer) + _suffix;

    /// <summary>Its name in Hugging Face's format; for an unknown parameter below a known module too.</summary>
    public string? HuggingFaceName => _module is null ? null : InLayer(_module.HuggingFacePrefix, Layer) + _suffix;

    public static ParameterName Parse(string name) => new(name);

    /// <summary>A prefix of the table with the layer in the place of its <c>N</c>.</summary>
    public static string InLayer(string prefix, int? layer) =>
        layer is null ? prefix : prefix.Replace(".N.", string.Create(CultureInfo.InvariantCulture, $".{layer}."), StringComparison.Ordinal);

    /// <summary>The layer as Python prints it, without leading zeros, and what follows it; or null and all of the name.</summary>
    private static int? FindLayer(ReadOnlySpan<char> name, out ReadOnlySpan<char> rest)
    {
        rest = name;

        if (!name.StartsWith(Layers, StringComparison.Ordinal))
        {
            return null;
        }

        var number = name[Layers.Length..];
        var end = number.IndexOf('.');

        if (end < 1 || (number[0] == '0' && end > 1) || !int.TryParse(number[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var layer))
        {
            return null;
        }

        rest = number[(end + 1)..];
        return layer;
    }
}
