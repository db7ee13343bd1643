using System.Globalization;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>
/// Tables that fit a phone: there, a row is a paragraph, in which each cell has the name of its column before it. What is wider
/// nevertheless scrolls by itself, by keyboard, too.
/// </summary>
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
            Tag.Of(
                "table",
                NamesOf(columns),
                Tag.Of("thead", Tag.Of("tr", head)),
                Tag.Of("tbody", body)));
    }

    /// <summary>Names for the style sheet, once: a model has thousands of cells.</summary>
    private static XAttribute NamesOf(string[] columns) => Tag.Attribute("style", string.Join(
        ';', columns.Select((column, index) => string.Create(CultureInfo.InvariantCulture, $"--c{index + 1}:'{column.TrimStart('#')}'")).Skip(1)));

    private static XAttribute? ClassOf(bool isNumber) => isNumber ? Tag.Class("n") : null;
}
