using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>A column for each layer, as high as what it stands for is large.</summary>
internal static class ColumnChart
{
    private const int ColumnWidth = 10;
    private const int Gap = 2;
    private const int Height = 100;

    /// <summary>How many bytes layers have; a sentence where they have the same.</summary>
    public static XElement? Of(IReadOnlyList<ReportedLayer> layers)
    {
        if (layers.Count is 0 or > ChartAxis.MaxLayers)
        {
            return null;
        }

        var weights = layers.Select(layer => layer.Part.Weights).OrderBy(weights => weights.Bytes).ToArray();
        var range = $"{Display.Size(weights[0].Bytes)} to {Display.Size(weights[^1].Bytes)}";
        var count = Quantity.Of(layers.Count, "layer");
        var each = layers.Count == 1 ? "" : " each";

        return weights.Distinct().Count() == 1
            ? Tag.Of("p", $"{count} of {Display.Count(weights[0].Parameters)} parameters{each} ({Display.Size(weights[0].Bytes)}).")
            : ReportText.AreAlike(weights.Select(weights => (double?)weights.Bytes))
            ? Tag.Of("p", $"{count} of nearly the same size, {range}.")
            : Draw(
                [.. layers.Select(layer => (layer.Layer, (double?)layer.Part.Weights.Bytes))],
                $"Bytes of each layer: {range}",
                $"A column for each of {count}, as high as its bytes: {range}");
    }

    /// <summary>How far layers moved. One that moved and has no relative norm is a column of full height in another colour.</summary>
    public static XElement? Of(IReadOnlyList<LayerComparison> layers)
    {
        var norms = layers.Select(layer => layer.RelativeNorm).OfType<double>().Order().ToArray();

        // Columns of one height tell less than a sentence.
        if (layers.Count is < 2 or > ChartAxis.MaxLayers || norms is [] or [.., 0] || ComparisonText.AreAlike(layers))
        {
            return null;
        }

        var most = layers.MaxBy(layer => layer.RelativeNorm)!;
        var range = $"{Display.Number(norms[0])} to {Display.Number(norms[^1])}, the most in {most.Name}";

        return Draw(
            [.. layers.Select(layer => (layer.Layer!.Value, layer.RelativeNorm ?? (layer.NormOfDifference > 0 ? null : 0)))],
            $"Relative norm of each layer: {range}",
            $"A column for each of {Quantity.Of(layers.Count, "layer")}, as high as its relative norm: {range}");
    }

    private static XElement Draw((int Layer, double? Value)[] columns, string caption, string label)
    {
        var largest = columns.Max(column => column.Value) ?? 0;
        var (known, unknown) = (new StringBuilder(), new StringBuilder());

        for (var i = 0; i < columns.Length; i++)
        {
            var height = columns[i].Value switch
            {
                null => Height,
                var value when largest == 0 || value == 0 => 0,
                var value => Math.Max(1, Math.Round(value.Value / largest * Height)),
            };
            var path = columns[i].Value is null ? unknown : known;
            path.Append(CultureInfo.InvariantCulture, $"M{(i * ColumnWidth) + (Gap / 2)} {Height}v-{height}h{ColumnWidth - Gap}v{height}z");
        }

        var width = columns.Length * 2;

        return Tag.Of(
            "figure",
            Tag.Class("columns"),
            Tag.Of("figcaption", caption),
            Tag.Of(
                "svg",
                Tag.Attribute("role", "img"),
                Tag.Attribute("aria-label", label),
                Tag.Attribute("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {columns.Length * ColumnWidth} {Height}")),
                Tag.Attribute("preserveAspectRatio", "none"),
                ChartAxis.MaxWidth(width),
                Tag.Of("path", Tag.Class("fill"), Tag.Path(known.ToString())),
                unknown.Length == 0 ? null : Tag.Of("path", Tag.Class("unknown"), Tag.Path(unknown.ToString()))),
            ChartAxis.Of(columns[0].Layer, columns[^1].Layer, width));
    }
}
