using System.Globalization;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>A share as a number and a bar, which says nothing to those who do not see it.</summary>
internal static class Bar
{
    public static XElement Of(long part, long whole, bool isDrawn) =>
        Of(ReportText.Share(part, whole), whole == 0 ? 0 : (double)part / whole, isDrawn);

    /// <param name="text">The number.</param>
    /// <param name="share">How much of the bar is filled, from 0 to 1.</param>
    /// <param name="isDrawn">Whether there is a bar: those of numbers that are alike show nothing.</param>
    public static XElement Of(string text, double share, bool isDrawn) => Tag.Of(
        "div",
        Tag.Class("share"),
        Tag.Of("span", text),
        isDrawn ? Tag.Of("svg", Tag.Class("bar"), Tag.Attribute("aria-hidden", "true"), Rectangle("track", 100), Rectangle("fill", 100 * share)) : null);

    private static XElement Rectangle(string name, double width) => Tag.Of(
        "rect",
        Tag.Class(name),
        Tag.Attribute("width", width.ToString("0.##", CultureInfo.InvariantCulture) + "%"),
        Tag.Attribute("height", "100%"),
        Tag.Attribute("rx", "2"));
}
