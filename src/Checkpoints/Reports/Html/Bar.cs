using System.Globalization;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>A share as a number and a bar, which says nothing to those who do not see it.</summary>
internal static class Bar
{
    public static XElement Of(long part, long whole)
    {
        var share = whole == 0 ? 0 : 100.0 * part / whole;

        return Tag.Of(
            "div",
            Tag.Class("share"),
            Tag.Of("span", ReportText.Share(part, whole)),
            Tag.Of("svg", Tag.Class("bar"), Tag.Attribute("aria-hidden", "true"), Rectangle("track", 100), Rectangle("fill", share)));
    }

    private static XElement Rectangle(string name, double width) => Tag.Of(
        "rect",
        Tag.Class(name),
        Tag.Attribute("width", width.ToString("0.##", CultureInfo.InvariantCulture) + "%"),
        Tag.Attribute("height", "100%"),
        Tag.Attribute("rx", "2"));
}
