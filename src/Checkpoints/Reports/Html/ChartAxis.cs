using System.Collections.Immutable;
using System.Globalization;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>Says below a chart what is where.</summary>
internal static class ChartAxis
{
    /// <summary>With more layers than that nothing is drawn: each would be narrower than a pixel. Tables have them all.</summary>
    public const int MaxLayers = 500;

    /// <summary>So much room the names at both ends need, in rem.</summary>
    private const int MinWidth = 8;

    /// <param name="first">The first layer.</param>
    /// <param name="last">The last layer.</param>
    /// <param name="width">How wide the chart may become, in rem.</param>
    public static XElement Of(int first, int last, int width) => Draw(
        "axis",
        first == last ? [$"layer {Show(first)}"] : [$"layer {Show(first)}", Show(last)],
        Math.Max(width, MinWidth));

    /// <param name="names">What each shape is.</param>
    /// <param name="width">How wide the chart may become, in rem.</param>
    public static XElement Of(ImmutableArray<string> names, int width) => Draw("axis names", names, width);

    /// <param name="width">How wide something may become, in rem.</param>
    public static XAttribute MaxWidth(int width) => Tag.Attribute("style", $"max-width:{Show(width)}rem");

    private static XElement Draw(string name, ImmutableArray<string> labels, int width) =>
        Tag.Of("p", Tag.Class(name), MaxWidth(width), labels.Select(label => Tag.Of("span", label)));

    private static string Show(int number) => number.ToString(CultureInfo.InvariantCulture);
}
