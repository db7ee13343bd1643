using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Reports.Html;

/// <summary>How the weights are distributed: charts layer by layer and of what is outside of the layers, and all numbers below.</summary>
internal static class StatisticsSection
{
    /// <summary>So many layers need more room.</summary>
    private const int Many = 48;

    public static IEnumerable<object?> Of(CheckpointReport report)
    {
        var measured = report.Measured!.Value;

        yield return Tag.Of(
            "p",
            "Each shape shows the weights of a module in one layer, from the smallest to the largest, as wide as there are many (by the square"
            + " root). The shapes of a plot share a scale, so one that is unlike the others stands out.");
        yield return Tag.Of(
            "div",
            Tag.Class(report.Layers.Length > Many ? "plots wide" : "plots"),
            ModuleStatistics.AllOf(measured).GroupBy(PlotOf).Select(plot => DistributionChart.Of([.. plot])));

        yield return Tag.Of(
            "details",
            Tag.Of("summary", $"Numbers of {Quantity.Of(measured.Length, "tensor")}"),
            HtmlTable.Of(
                "statistics of every tensor",
                ["Tensor", "#Min", "#Max", "#Mean", "#Std", "#Zeros", "#NaN", "#Inf"],
                measured.Select(item => item.Statistics).Select(tensor => new object?[]
                {
                    Tag.Code(tensor.Name),
                    ReportText.Signed(tensor.Min),
                    ReportText.Signed(tensor.Max),
                    ReportText.Signed(tensor.Mean),
                    ReportText.Signed(tensor.Std),
                    Display.Grouped(tensor.Zeros),
                    Bad(tensor.NaN),
                    Bad(tensor.Inf),
                })));
    }

    /// <summary>Embedding and output both have a row for each token, and their numbers can be compared. Scales of norms differ by magnitudes.</summary>
    private static LlamaParameter PlotOf(ModuleStatistics module) =>
        module.Parameter.IsVocabularyTable ? LlamaParameter.Embedding : module.Parameter;

    private static object Bad(long count) => count == 0 ? "0" : Tag.Of("strong", Tag.Class("bad"), Display.Grouped(count));
}
