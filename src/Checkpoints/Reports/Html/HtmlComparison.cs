using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>A report about a comparison as a page.</summary>
internal static class HtmlComparison
{
    /// <summary>More rows than that are a list that is folded.</summary>
    private const int ShownRows = 48;

    public static string Write(ComparisonReport report)
    {
        var summary = report.Summary;

        ReportSection[] sections =
        [
            new("summary", "Summary", [Unread(summary), .. SummarySection.Of(ComparisonItems.Of(summary))]),
            new("layers", "Layers", Layers(summary)),
            .. report.Farthest.IsEmpty ? Array.Empty<ReportSection>() : [new("moved", "Tensors that moved most", Farthest(report))],
            .. report.Unmatched.IsEmpty ? Array.Empty<ReportSection>() : [new("unmatched", "Tensors that do not match", Unmatched(report))],
            new("tensors", "All tensors", Tensors(summary)),
        ];

        return ReportBody.Write(
            "Comparison report",
            ComparisonText.Title(summary),
            [summary.ReferenceCheckpoint.Path, summary.DifferenceCheckpoint.Path],
            sections);
    }

    private static XElement? Unread(CheckpointComparisonSummary summary) => summary.NotCompared == 0
        ? null
        : Tag.Of("p", Tag.Class("verdict bad"), $"{Quantity.Of(summary.NotCompared, "tensor")} could not be read.");

    private static IEnumerable<object?> Layers(CheckpointComparisonSummary summary)
    {
        yield return Tag.Of("p", ComparisonText.AboutLayers(summary));
        yield return ColumnChart.Of([.. summary.Layers.Where(layer => layer.Layer is not null)]);

        if (ComparisonText.WithoutNorm(summary.Layers) is { } reason)
        {
            yield return Tag.Of("p", Tag.Class("note"), reason);
        }

        if (summary is { AreEqual: true, NormOfDifference: null or 0 })
        {
            yield break;
        }

        var largest = ComparisonText.LargestNorm(summary.Layers);
        var isDrawn = !ComparisonText.AreAlike(summary.Layers);

        yield return Folded(
            "parts",
            summary.Layers.Length,
            HtmlTable.Of(
                "layers",
                ["Part", "Relative norm", "#Norm", "#Largest difference", "#Equal tensors"],
                summary.Layers.Select(layer => new object?[]
                {
                    layer.Name,
                    Norm(layer.RelativeNorm, layer.NormOfDifference, largest, isDrawn),
                    Number(layer.NormOfDifference),
                    Number(layer.MaxAbsoluteDifference),
                    ComparisonText.EqualOf(layer),
                })));
    }

    private static IEnumerable<object?> Farthest(ComparisonReport report)
    {
        if (report.Moved.Length > report.Farthest.Length)
        {
            yield return Tag.Of("p", $"The first {Display.Grouped(report.Farthest.Length)} of {Display.Grouped(report.Moved.Length)} tensors whose numbers differ.");
        }

        var largest = report.Farthest.Max(tensor => tensor.RelativeNorm) ?? 0;
        var isDrawn = !ReportText.AreAlike(report.Farthest.Select(tensor => tensor.RelativeNorm));

        yield return HtmlTable.Of(
            "tensors that moved most",
            ["Tensor", "Relative norm", "#Norm", "#Max", "#Cosine", "#Differing"],
            report.Farthest.Select(tensor => new object?[]
            {
                Tag.Code(tensor.Name),
                Norm(tensor.RelativeNorm, tensor.NormOfDifference, largest, isDrawn),
                Number(tensor.NormOfDifference),
                Number(tensor.MaxAbsoluteDifference),
                ComparisonText.Cosine(tensor),
                Display.Grouped(tensor.DifferingElements ?? 0),
            }));
    }

    private static IEnumerable<object?> Unmatched(ComparisonReport report)
    {
        yield return Folded(
            "tensors",
            report.Unmatched.Length,
            HtmlTable.Of(
                "tensors that do not match",
                ["Tensor", "Result", "What"],
                report.Unmatched.Select(tensor => new object?[]
                {
                    Tag.Code(tensor.Name), ComparisonText.Words(tensor.Result), tensor.Description,
                })));
    }

    private static IEnumerable<object?> Tensors(CheckpointComparisonSummary summary)
    {
        yield return Tag.Of(
            "details",
            Tag.Of("summary", $"All {Quantity.Of(summary.Tensors.Length, "tensor")}"),
            HtmlTable.Of(
                "every tensor",
                ["Tensor", "Result", "#Relative norm", "#Max"],
                summary.Tensors.Select(tensor => new object?[]
                {
                    Tag.Code(tensor.Name),
                    tensor.Result == ComparisonResult.Equal
                        ? Tag.Of("span", Tag.Class("good"), ComparisonText.Words(tensor.Result))
                        : ComparisonText.Words(tensor.Result),
                    ComparisonText.Relative(tensor.RelativeNorm),
                    Number(tensor.MaxAbsoluteDifference),
                })));
    }

    /// <summary>A bar, as long as it is large; none for what is no number, and a mark for what moved nevertheless.</summary>
    private static object Norm(double? relative, double? norm, double largest, bool isDrawn) => relative is { } known
        ? Bar.Of(Display.Number(known), largest == 0 ? 0 : known / largest, isDrawn)
        : norm is > 0 ? Tag.Of("strong", Tag.Class("bad"), "no number") : "–";

    private static string Number(double? number) => number is null ? "–" : Display.Number(number);

    private static XElement Folded(string what, int count, XElement table) => count <= ShownRows
        ? table
        : Tag.Of("details", Tag.Of("summary", $"All {Display.Grouped(count)} {what}"), table);
}
