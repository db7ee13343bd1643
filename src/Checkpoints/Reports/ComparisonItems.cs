namespace Fairseq2Llama.Reports;

/// <summary>What is wanted of a comparison at a glance.</summary>
internal static class ComparisonItems
{
    public static IEnumerable<SummaryItem> Of(CheckpointComparisonSummary summary)
    {
        yield return summary.AreEqual
            ? new SummaryItem("Result", "All equal", $"{Quantity.Of(summary.TensorCount, "tensor")}, {summary.Manner}")
            : new SummaryItem(
                "Result",
                $"{Display.Grouped(summary.TensorCount - summary.Equal)} of {Quantity.Of(summary.TensorCount, "tensor")} not equal",
                $"{summary.Reasons}; compared {summary.Manner}");

        if (summary.MaxAbsoluteDifferenceTensor is { } farthest)
        {
            var reason = ComparisonText.IsNotFinite(summary) ? ", where a number is NaN or infinite" : "";
            yield return new SummaryItem("Largest difference", Display.Number(summary.MaxAbsoluteDifference), $"in {farthest}{reason}");
        }

        if (summary.NormOfDifference is > 0 and { } norm)
        {
            yield return new SummaryItem(
                "Relative norm",
                ComparisonText.Relative(summary.RelativeNorm),
                summary.RelativeNorm is null
                    ? "a number is NaN or infinite, or the reference is all 0"
                    : $"norm of the difference {Display.Number(norm)}, of the reference {Display.Number(summary.ReferenceNorm)}");
        }

        if (MostMoved(summary) is { } most)
        {
            yield return new SummaryItem(
                "Moved most", most.Name, most.RelativeNorm is null ? "which has no relative norm" : $"by a relative norm of {Display.Number(most.RelativeNorm)}");
        }
    }

    /// <summary>None where all moved alike. What has no relative norm, although it moved, comes before all others.</summary>
    private static LayerComparison? MostMoved(CheckpointComparisonSummary summary) =>
        ComparisonText.AreAlike(summary.Layers) ? null
        : summary.Layers.Where(layer => layer.NormOfDifference > 0).MaxBy(layer => layer.RelativeNorm ?? double.PositiveInfinity);
}
