using System.Globalization;

namespace Fairseq2Llama.Reports;

/// <summary>Says in words, numbers and bars how two checkpoints compare.</summary>
internal static class ComparisonText
{
    private const int BarWidth = 20;

    /// <summary>What is wanted first: <c>45 of 47 tensors are not equal (44 different, 1 only in 7b).</c></summary>
    public static string Verdict(CheckpointComparisonSummary summary) =>
        $"{char.ToUpperInvariant(summary.Verdict[0])}{summary.Verdict[1..]}.";

    /// <summary>The titles of both: <c>7b and sft</c>.</summary>
    public static string Title(CheckpointComparisonSummary summary) => $"{summary.Reference} and {summary.Difference}";

    /// <summary>Whether anything in it differs, be it within the tolerance.</summary>
    public static bool IsMoved(LayerComparison layer) => layer.Equal < layer.TensorCount || layer.NormOfDifference > 0;

    /// <summary>Whether a number is NaN or infinite in one of the two and not the same in the other.</summary>
    public static bool IsNotFinite(CheckpointComparisonSummary summary) => summary.MaxAbsoluteDifference is double.PositiveInfinity;

    /// <summary>How many of its tensors are equal: <c>7 of 9</c>.</summary>
    public static string EqualOf(LayerComparison layer) => string.Create(CultureInfo.InvariantCulture, $"{layer.Equal} of {layer.TensorCount}");

    /// <summary>The largest relative norm of a layer, to which bars are drawn; 0 where there is none.</summary>
    public static double LargestNorm(IEnumerable<LayerComparison> layers) => layers.Max(layer => layer.RelativeNorm) ?? 0;

    /// <summary>A bar of blocks, as long as a relative norm is large, half a block where it is tiny; none for 0 and for what is no number.</summary>
    public static string Bar(double? value, double largest)
    {
        if (value is not > 0 || largest == 0)
        {
            return "";
        }

        var halves = Math.Max(1, (int)Math.Round(value.Value / largest * BarWidth * 2));
        return new string('█', halves / 2) + (halves % 2 == 1 ? "▌" : "");
    }

    /// <summary>Lines for a terminal: how far the two are from each other, and a table of the layers that moved.</summary>
    public static IEnumerable<string> Lines(CheckpointComparisonSummary summary)
    {
        if (summary.MaxAbsoluteDifferenceTensor is { } farthest)
        {
            var reason = IsNotFinite(summary) ? ", where a number is NaN or infinite" : "";
            yield return $"Largest difference: {Display.Number(summary.MaxAbsoluteDifference)} in {Display.Text(farthest)}{reason}";
        }

        if (summary.RelativeNorm is > 0 and { } relative)
        {
            yield return $"Relative norm:      {Display.Number(relative)} ({Display.Number(summary.NormOfDifference)} of {Display.Number(summary.ReferenceNorm)})";
        }

        if (summary is { DTypeDiffers: > 0, Tolerance: null })
        {
            yield return "Numbers of different types are compared with -Tolerance.";
        }

        var moved = summary.Layers.Where(IsMoved).ToArray();

        if (moved.Length == 0)
        {
            yield break;
        }

        yield return "";

        foreach (var line in Table(moved, moved.Any(layer => layer.NormOfDifference is not null)))
        {
            yield return line;
        }

        if (summary.Layers.Length > moved.Length)
        {
            var others = summary.Layers.Length - moved.Length;
            yield return "";
            yield return $"Not moved: {(others <= 4 ? string.Join(", ", summary.Layers.Except(moved).Select(layer => layer.Name)) : $"the other {others}")}";
        }
    }

    /// <summary>Columns are named as the properties that they show.</summary>
    private static IEnumerable<string> Table(LayerComparison[] layers, bool isMeasured)
    {
        var largest = LargestNorm(layers);
        var width = layers.Max(layer => layer.Name.Length);
        var equalWidth = layers.Max(layer => EqualOf(layer).Length);

        yield return Line("Name", "Equal", nameof(LayerComparison.RelativeNorm), "", nameof(LayerComparison.MaxAbsoluteDifference));
        yield return Line("----", "-----", new string('-', nameof(LayerComparison.RelativeNorm).Length), "", new string('-', nameof(LayerComparison.MaxAbsoluteDifference).Length));

        foreach (var layer in layers)
        {
            yield return Line(
                layer.Name,
                EqualOf(layer),
                Display.Number(layer.RelativeNorm),
                Bar(layer.RelativeNorm, largest),
                Display.Number(layer.MaxAbsoluteDifference));
        }

        string Line(string name, string equal, string norm, string bar, string max)
        {
            var known = $"{name.PadRight(width)} {equal.PadLeft(Math.Max(equalWidth, 5))}";
            return isMeasured
                ? $"{known} {norm.PadLeft(nameof(LayerComparison.RelativeNorm).Length)} {bar.PadRight(BarWidth)} {max.PadLeft(nameof(LayerComparison.MaxAbsoluteDifference).Length)}"
                : known;
        }
    }
}
