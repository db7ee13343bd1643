using System.Globalization;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>Says below a chart which layers are at its ends.</summary>
internal static class ChartAxis
{
    public static XElement Of(int first, int last, int count) => Tag.Of(
        "p",
        Tag.Class("axis"),
        Tag.Attribute("style", string.Create(CultureInfo.InvariantCulture, $"max-width:{Math.Max(count * 2, 8)}rem")),
        Tag.Of("span", $"layer {first.ToString(CultureInfo.InvariantCulture)}"),
        first == last ? null : Tag.Of("span", last.ToString(CultureInfo.InvariantCulture)));
}
