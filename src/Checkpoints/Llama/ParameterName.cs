using System.Globalization;
using System.Text.RegularExpressions;

namespace Fairseq2Llama.Llama;

/// <summary>A fairseq2 parameter name, taken apart and held against the table of <see cref="LlamaParameter"/>.</summary>
internal sealed partial record ParameterName
{
    private ParameterName(string name)
    {
        Name = name;

        var match = LayerPattern().Match(name);
        Layer = match.Success && int.TryParse(match.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var layer) ? layer : null;

        var pattern = Layer is null ? name : $"{name.AsSpan(0, match.Index)}N{name.AsSpan(match.Index + match.Length)}";
        var parameter = LlamaParameter.All.FirstOrDefault(parameter => pattern.StartsWith(parameter.Fairseq2Prefix, StringComparison.Ordinal));

        if (parameter is null)
        {
            return;
        }

        var suffix = pattern[parameter.Fairseq2Prefix.Length..];
        ReferenceName = InLayer(parameter.ReferencePrefix, Layer) + suffix;
        HuggingFaceName = InLayer(parameter.HuggingFacePrefix, Layer) + suffix;
        Parameter = suffix == LlamaParameter.Suffix ? parameter : null;
    }

    public string Name { get; }

    /// <summary>The layer's index, or null outside of the layers.</summary>
    public int? Layer { get; }

    /// <summary>The parameter that it is, or null when LLaMA has none of that name.</summary>
    public LlamaParameter? Parameter { get; }

    /// <summary>Its name in the reference format; for an unknown parameter below a known module (a bias) too.</summary>
    public string? ReferenceName { get; }

    /// <summary>Its name in Hugging Face's format; for an unknown parameter below a known module too.</summary>
    public string? HuggingFaceName { get; }

    public static ParameterName Parse(string name) => new(name);

    /// <summary>A prefix of the table with the layer in the place of its <c>N</c>.</summary>
    public static string InLayer(string prefix, int? layer) =>
        layer is null ? prefix : prefix.Replace(".N.", string.Create(CultureInfo.InvariantCulture, $".{layer}."), StringComparison.Ordinal);

    [GeneratedRegex(@"(?<=^decoder\.layers\.)(0|[1-9][0-9]*)(?=\.)", RegexOptions.CultureInvariant)]
    private static partial Regex LayerPattern();
}
