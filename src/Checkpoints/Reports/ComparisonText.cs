using System.Globalization;

namespace Fairseq2Llama.Reports;

/// <summary>Says in words, numbers and bars how two checkpoints compare.</summary>
internal static class ComparisonText
{
    private const int BarWidth = 20;
    private const int MaxNames = 8;

    /// <summary>What is wanted first: <c>45 of 47 tensors are not equal (44 different, 1 only in 7b).</c></summary>
    public static string Verdict(CheckpointComparisonSummary summary) =>
        $"{char.ToUpperInvariant(summary.Verdict[0])}{summary.Verdict[1..]}.";

    /// <summary>The titles of both: <c>7b and sft</c>.</summary>
    public static string Title(CheckpointComparisonSummary summary) => $"{summary.Reference} and {summary.Difference}";

    /// <summary>A relative norm; a dash for one that is no number.</summary>
    public static string Relative(double? norm) => norm is null ? "–" : Display.Number(norm);

    /// <summary>The cosine of two tensors, in as many digits as tell it apart from 1.</summary>
    public static string Cosine(TensorComparison tensor) => tensor.CosineSimilarity?.ToString("0.######", CultureInfo.InvariantCulture) ?? "–";

    /// <summary>What a relative norm is, or that there is none to tell of.</summary>
    public static string AboutLayers(CheckpointComparisonSummary summary) => summary switch
    {
        { NormOfDifference: null } => "No numbers were compared, so how far the layers moved is not known.",
        { NormOfDifference: 0 } => "No number differs, so no layer moved.",
        _ => "The relative norm is the norm of the difference divided by that of the reference: how far a part of the model moved, measured by its own size."
            + (AreAlike(summary.Layers) ? " All parts moved by the same amount." : ""),
    };

    /// <summary>Whether all parts moved by nearly the same, so that a chart would show nothing.</summary>
    public static bool AreAlike(IEnumerable<LayerComparison> layers) => ReportText.AreAlike(layers.Select(layer => layer.RelativeNorm));

    /// <summary>What a result means, in words.</summary>
    public static string Words(ComparisonResult result) => result switch
    {
        ComparisonResult.Equal => "equal",
        ComparisonResult.Different => "different",
        ComparisonResult.OnlyInReference => "only in the first",
        ComparisonResult.OnlyInDifference => "only in the second",
        ComparisonResult.ShapeDiffers => "another shape",
        _ => "another type",
    };

    /// <summary>Why layers that moved have no relative norm, and which these are; null where there are none.</summary>
    public static string? WithoutNorm(IEnumerable<LayerComparison> layers)
    {
        string[] names = [.. layers.Where(layer => layer.NormOfDifference > 0 && layer.RelativeNorm is null).Select(layer => layer.Name)];

        return names.Length == 0
            ? null
            : $"No relative norm: {string.Join(", ", names.Take(MaxNames))}{(names.Length > MaxNames ? ", …" : "")}."
                + " A number is NaN or infinite there, or the reference is all 0.";
    }

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
            yield return $"Relative norm:      {Display.Number(relative)} (difference {Display.Number(summary.NormOfDifference)}, reference {Display.Number(summary.ReferenceNorm)})";
        }

        if (summary is { DTypeDiffers: > 0, Tolerance: null })
        {
            yield return "To compare numbers of different types, use -Tolerance.";
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

        if (moved.Length > 1 && AreAlike(moved))
        {
            yield return "";
            yield return "All of these moved by the same amount.";
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
        var largest = layers.Length > 1 && AreAlike(layers) ? 0 : LargestNorm(layers);
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
