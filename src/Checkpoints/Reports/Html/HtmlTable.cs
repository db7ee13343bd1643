using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>Tables that scroll by themselves where they are wider than the page, by keyboard, too.</summary>
internal static class HtmlTable
{
    /// <param name="name">What it is about, for those who do not see what stands above it.</param>
    /// <param name="columns">Headings; those of numbers begin with <c>#</c>.</param>
    /// <param name="rows">Cells, of which the first names the row: text or elements.</param>
    public static XElement Of(string name, string[] columns, IEnumerable<object?[]> rows)
    {
        var isNumber = Array.ConvertAll(columns, column => column.StartsWith('#'));

        var head = columns.Select((column, index) =>
            Tag.Of("th", Tag.Attribute("scope", "col"), ClassOf(isNumber[index]), column.TrimStart('#')));
        var body = rows.Select(cells => Tag.Of("tr", cells.Select((cell, index) => index == 0
            ? Tag.Of("th", Tag.Attribute("scope", "row"), ClassOf(isNumber[index]), cell)
            : Tag.Of("td", ClassOf(isNumber[index]), cell))));

        return Tag.Of(
            "div",
            Tag.Class("scroll"),
            Tag.Attribute("role", "region"),
            Tag.Attribute("aria-label", $"Table: {name}"),
            Tag.Attribute("tabindex", "0"),
            Tag.Of("table", Tag.Of("thead", Tag.Of("tr", head)), Tag.Of("tbody", body)));
    }

    private static XAttribute? ClassOf(bool isNumber) => isNumber ? Tag.Class("n") : null;
}
