using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>What is wanted at a glance.</summary>
internal static class SummarySection
{
    public static IEnumerable<object?> Of(IEnumerable<SummaryItem> items)
    {
        yield return Tag.Of("dl", Tag.Class("tiles"), items.Select(Tile));
    }

    private static XElement Tile(SummaryItem item) => Tag.Of(
        "div",
        Tag.Of("dt", item.Name),
        Tag.Of("dd", Tag.Of("strong", item.Value), item.Detail is null ? null : Tag.Of("span", Tag.Breakable(item.Detail))));
}
