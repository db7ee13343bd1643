using System.Globalization;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>Says below a chart which layers are at its ends.</summary>
internal static class ChartAxis
{
    /// <summary>With more layers than that nothing is drawn: each would be narrower than a pixel. Tables have them all.</summary>
    public const int MaxLayers = 500;

    /// <param name="first">The first layer.</param>
    /// <param name="last">The last layer.</param>
    /// <param name="width">How wide the chart may become, in rem; null where it fills its place.</param>
    public static XElement Of(int first, int last, int? width = null) => Tag.Of(
        "p",
        Tag.Class("axis"),
        width is { } rem ? Tag.Attribute("style", string.Create(CultureInfo.InvariantCulture, $"max-width:{Math.Max(rem, 8)}rem")) : null,
        Tag.Of("span", $"layer {first.ToString(CultureInfo.InvariantCulture)}"),
        first == last ? null : Tag.Of("span", last.ToString(CultureInfo.InvariantCulture)));
}
