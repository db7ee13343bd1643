using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>A column for each layer, as high as it is large.</summary>
internal static class ColumnChart
{
    private const int ColumnWidth = 10;
    private const int Gap = 2;
    private const int Height = 100;

    public static XElement? Of(IReadOnlyList<ReportedLayer> layers)
    {
        if (layers.Count is 0 or > ChartAxis.MaxLayers)
        {
            return null;
        }

        var largest = layers.Max(layer => layer.Part.Weights.Bytes);
        var smallest = layers.Min(layer => layer.Part.Weights.Bytes);
        var path = new StringBuilder();

        for (var i = 0; i < layers.Count; i++)
        {
            var height = largest == 0 ? 0 : Math.Max(1, Math.Round((double)layers[i].Part.Weights.Bytes / largest * Height));
            path.Append(CultureInfo.InvariantCulture, $"M{(i * ColumnWidth) + (Gap / 2)} {Height}v-{height}h{ColumnWidth - Gap}v{height}z");
        }

        var width = layers.Count * 2;
        var range = smallest == largest ? $"{Display.Size(largest)} each" : $"{Display.Size(smallest)} to {Display.Size(largest)}";

        return Tag.Of(
            "figure",
            Tag.Class("columns"),
            Tag.Of("figcaption", $"Bytes of each layer: {range}"),
            Tag.Of(
                "svg",
                Tag.Attribute("role", "img"),
                Tag.Attribute(
                    "aria-label", $"A column for each of {ReportText.Count(layers.Count, "layer")}, as high as its bytes: {range}"),
                Tag.Attribute("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {layers.Count * ColumnWidth} {Height}")),
                Tag.Attribute("preserveAspectRatio", "none"),
                Tag.Attribute("style", string.Create(CultureInfo.InvariantCulture, $"max-width:{width}rem")),
                Tag.Of("path", Tag.Class("fill"), Tag.Path(path.ToString()))),
            ChartAxis.Of(layers[0].Layer, layers[^1].Layer, width));
    }
}
