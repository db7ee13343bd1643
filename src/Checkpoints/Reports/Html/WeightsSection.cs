using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>Where the parameters and bytes are.</summary>
internal static class WeightsSection
{
    /// <summary>A model has one run of layers; more of them are a list that is folded.</summary>
    private const int ShownParts = 24;

    public static IEnumerable<object?> Of(CheckpointReport report)
    {
        yield return Tag.Of("h3", "By kind");
        yield return TableOf("weights by kind", "Kind", report.Kinds, report.Weights);

        yield return Tag.Of("h3", "By layer");
        yield return ColumnChart.Of(report.Layers);

        var table = TableOf("weights by layer", "Part", report.ByLayer, report.Weights);
        yield return report.ByLayer.Length <= ShownParts
            ? table
            : Tag.Of("details", Tag.Of("summary", $"All {Display.Grouped(report.ByLayer.Length)} parts"), table);

        yield return Tag.Of("h3", "By element type");
        yield return report.DTypes is [var only]
            ? Tag.Of("p", $"All weights are {only.Name}.")
            : TableOf("weights by element type", "Type", report.DTypes, report.Weights, showsTypes: false);
    }

    private static XElement TableOf(
        string name, string first, IReadOnlyCollection<ReportedPart> parts, WeightSum whole, bool showsTypes = true)
    {
        var isDrawn = !ReportText.AreAlike(parts.Select(part => (double?)part.Weights.Bytes));

        return HtmlTable.Of(
            name,
            [first, "Share of bytes", "#Parameters", "#Size", "#Tensors", .. showsTypes ? ["Type"] : Array.Empty<string>()],
            parts.Select(part => CellsOf(part, whole, showsTypes, isDrawn)));
    }

    private static object?[] CellsOf(ReportedPart part, WeightSum whole, bool showsTypes, bool isDrawn) =>
    [
        part.Name,
        Bar.Of(part.Weights.Bytes, whole.Bytes, isDrawn),
        Display.Grouped(part.Weights.Parameters),
        Display.Size(part.Weights.Bytes),
        Display.Grouped(part.Weights.Tensors),
        .. showsTypes ? [Display.Name(part.DTypes)] : Array.Empty<object?>(),
    ];
}
