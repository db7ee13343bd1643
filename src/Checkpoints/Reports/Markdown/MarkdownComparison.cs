using System.Globalization;
using System.Text;

namespace Fairseq2Llama.Reports.Markdown;

/// <summary>A report about a comparison for the summary page of a pipeline. Bars are made of characters.</summary>
internal static class MarkdownComparison
{
    /// <summary>A summary page has a limit; the rest is counted.</summary>
    private const int ShownUnmatched = 50;

    public static string Write(ComparisonReport report)
    {
        var summary = report.Summary;
        var text = new StringBuilder();

        text.Append(CultureInfo.InvariantCulture, $"# Comparison of {MarkdownText.Of(ComparisonText.Title(summary))}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{MarkdownText.Code(summary.ReferenceCheckpoint.Path)}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{MarkdownText.Code(summary.DifferenceCheckpoint.Path)}\n\n");
        text.Append("## Summary\n\n");

        if (summary.NotCompared > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"**{Quantity.Of(summary.NotCompared, "tensor")} could not be read.**\n\n");
        }

        text.Append(MarkdownTable.Of(
            ["", "", ""],
            ComparisonItems.Of(summary).Select(item => new[] { item.Name, MarkdownText.Of(item.Value), MarkdownText.Of(item.Detail ?? "") })));

        AppendLayers(text, summary);
        AppendFarthest(text, report);
        AppendUnmatched(text, report);

        return text.ToString();
    }

    private static void AppendLayers(StringBuilder text, CheckpointComparisonSummary summary)
    {
        text.Append("\n## Layers\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{ComparisonText.AboutLayers(summary)}\n");

        if (summary is { AreEqual: true, NormOfDifference: null or 0 })
        {
            return;
        }

        var largest = ComparisonText.LargestNorm(summary.Layers);
        var isDrawn = !ComparisonText.AreAlike(summary.Layers);
        text.Append('\n');

        if (ComparisonText.WithoutNorm(summary.Layers) is { } reason)
        {
            text.Append(CultureInfo.InvariantCulture, $"{MarkdownText.Of(reason)}\n\n");
        }

        text.Append(MarkdownTable.Of(
            ["Part", "#Relative norm", "", "#Norm", "#Largest difference", "#Equal tensors"],
            summary.Layers.Select(layer => new[]
            {
                layer.Name,
                ComparisonText.Relative(layer.RelativeNorm),
                isDrawn ? ComparisonText.Bar(layer.RelativeNorm, largest) : "",
                Number(layer.NormOfDifference),
                Number(layer.MaxAbsoluteDifference),
                ComparisonText.EqualOf(layer),
            })));
    }

    private static void AppendFarthest(StringBuilder text, ComparisonReport report)
    {
        if (report.Farthest.IsEmpty)
        {
            return;
        }

        text.Append("\n## Tensors that moved most\n\n");
        text.Append(MarkdownTable.Of(
            ["Tensor", "#Relative norm", "#Norm", "#Max", "#Cosine", "#Differing"],
            report.Farthest.Select(tensor => new[]
            {
                MarkdownText.Code(tensor.Name),
                ComparisonText.Relative(tensor.RelativeNorm),
                Number(tensor.NormOfDifference),
                Number(tensor.MaxAbsoluteDifference),
                ComparisonText.Cosine(tensor),
                Display.Grouped(tensor.DifferingElements ?? 0),
            })));
        AppendRest(text, report.Moved.Length - report.Farthest.Length);
    }

    private static void AppendUnmatched(StringBuilder text, ComparisonReport report)
    {
        if (report.Unmatched.IsEmpty)
        {
            return;
        }

        text.Append("\n## Tensors that do not match\n\n");
        text.Append(MarkdownTable.Of(
            ["Tensor", "Result", "What"],
            report.Unmatched.Take(ShownUnmatched).Select(tensor => new[]
            {
                MarkdownText.Code(tensor.Name), ComparisonText.Words(tensor.Result), MarkdownText.Of(tensor.Description),
            })));
        AppendRest(text, report.Unmatched.Length - ShownUnmatched);
    }

    private static void AppendRest(StringBuilder text, int count)
    {
        if (count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nAnd {count} more.\n");
        }
    }

    private static string Number(double? number) => number is null ? "–" : Display.Number(number);
}
