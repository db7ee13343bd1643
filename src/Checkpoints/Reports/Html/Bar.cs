using System.Globalization;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>A share as a number and a bar, which says nothing to those who do not see it.</summary>
internal static class Bar
{
    public static XElement Of(long part, long whole)
    {
        var share = whole == 0 ? 0 : (double)part / whole;
        return Of(ReportText.Share(part, whole), share);
    }

    /// <param name="text">The number.</param>
    /// <param name="share">How much of the bar is filled, from 0 to 1.</param>
    public static XElement Of(string text, double share) => Tag.Of(
        "div",
        Tag.Class("share"),
        Tag.Of("span", text),
        Tag.Of("svg", Tag.Class("bar"), Tag.Attribute("aria-hidden", "true"), Rectangle("track", 100), Rectangle("fill", 100 * share)));

    private static XElement Rectangle(string name, double width) => Tag.Of(
        "rect",
        Tag.Class(name),
        Tag.Attribute("width", width.ToString("0.##", CultureInfo.InvariantCulture) + "%"),
        Tag.Attribute("height", "100%"),
        Tag.Attribute("rx", "2"));
}
