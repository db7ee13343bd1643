using System.Globalization;

namespace Fairseq2Llama.Llama;

/// <summary>The name of a parameter in one of the conventions, taken apart and held against the table of <see cref="LlamaParameter"/>.</summary>
internal sealed record ParameterName
{
    private readonly string _suffix = "";

    private ParameterName(string name, NamingConvention convention)
    {
        Name = name;
        Convention = convention;
        Layer = FindLayer(name, convention, out var rest);

        foreach (var parameter in LlamaParameter.All)
        {
            var prefix = convention.PrefixOf(parameter).AsSpan(parameter.IsPerLayer ? convention.LayersPrefix.Length : 0);

            if (parameter.IsPerLayer == (Layer is not null) && rest.StartsWith(prefix, StringComparison.Ordinal))
            {
                Module = parameter;
                _suffix = rest.Length == prefix.Length + LlamaParameter.Suffix.Length && rest.EndsWith(LlamaParameter.Suffix, StringComparison.Ordinal)
                    ? LlamaParameter.Suffix
                    : rest[prefix.Length..].ToString();
                return;
            }
        }
    }

    public string Name { get; }

    /// <summary>The one that it is in.</summary>
    public NamingConvention Convention { get; }

    /// <summary>The layer's index, or null outside of the layers.</summary>
    public int? Layer { get; }

    /// <summary>The parameter that it is or, like a bias, belongs to; null when LLaMA has no such module.</summary>
    public LlamaParameter? Module { get; }

    /// <summary>The parameter that it is, or null when LLaMA has none of that name.</summary>
    public LlamaParameter? Parameter => _suffix == LlamaParameter.Suffix ? Module : null;

    /// <summary>What follows the name of the module: <c>weight</c>, <c>bias</c>, <c>lora_A</c>. All of the name if LLaMA has no such module.</summary>
    public string Suffix => Module is null ? Name : _suffix;

    /// <summary>Whether its rows are turned by rotary encoding; LLaMA itself has no biases.</summary>
    public bool IsRotary => Module is { IsRotary: true } && _suffix is LlamaParameter.Suffix or "bias";

    /// <summary>Whether it is the bias of a module that LLaMA has without one.</summary>
    public bool IsBias => Module is not null && _suffix is "bias";

    /// <summary>
    /// Whether it is a table of rotary frequencies, which Meta's LLaMA 1 and 2 and old versions of transformers and torchtitan saved. It follows from the
    /// architecture, and loaders pass over it.
    /// </summary>
    public bool IsComputed =>
        Convention.ComputedSuffixes?.Any(suffix => Name == suffix || Name.EndsWith('.' + suffix, StringComparison.Ordinal)) == true;

    /// <summary>The name of the parameter of its module, in the same convention.</summary>
    public ParameterName OfWeight() => Parse(InLayer(Convention.PrefixOf(Module!), Layer) + LlamaParameter.Suffix, Convention);

    public static ParameterName Parse(string name, NamingConvention convention) => new(name, convention);

    /// <summary>Its name in a convention; for an unknown parameter below a known module (a bias) too, and null for any other in another convention.</summary>
    public string? In(NamingConvention convention) =>
        convention == Convention ? Name : Module is null ? null : InLayer(convention.PrefixOf(Module), Layer) + _suffix;

    /// <summary>The same parameter in another convention, which has it, too.</summary>
    public ParameterName Translate(NamingConvention convention) => Parse(In(convention)!, convention);

    /// <summary>A prefix of the table with the layer in the place of its <c>N</c>.</summary>
    public static string InLayer(string prefix, int? layer) =>
        layer is null ? prefix : prefix.Replace(".N.", string.Create(CultureInfo.InvariantCulture, $".{layer}."), StringComparison.Ordinal);

    /// <summary>The layer as Python prints it, without leading zeros, and what follows it; or null and all of the name.</summary>
    private static int? FindLayer(ReadOnlySpan<char> name, NamingConvention convention, out ReadOnlySpan<char> rest)
    {
        rest = name;
        var layers = convention.LayersPrefix.AsSpan(0, convention.LayersPrefix.Length - "N.".Length);

        if (!name.StartsWith(layers, StringComparison.Ordinal))
        {
            return null;
        }

        var number = name[layers.Length..];
        var end = number.IndexOf('.');

        if (end < 1 || (number[0] == '0' && end > 1) || !int.TryParse(number[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var layer))
        {
            return null;
        }

        rest = number[(end + 1)..];
        return layer;
    }
}
