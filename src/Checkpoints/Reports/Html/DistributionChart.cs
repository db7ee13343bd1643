using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>
/// How the weights of a module are distributed, layer beside layer on one scale: as wide as there are many (by the square root, for
/// tails to be seen) from the smallest to the largest. A layer with outliers is longer than the others.
/// </summary>
internal static class DistributionChart
{
    private const int ColumnWidth = 24;
    private const int HalfWidth = 10;
    private const int Height = 200;

    public static XElement? Of(ModuleStatistics module)
    {
        var layers = module.Tensors.Where(tensor => tensor.Min is not null).ToArray();

        if (layers.Length == 0 || module.Tensors.Length > ChartAxis.MaxLayers)
        {
            return null;
        }

        var low = layers.Min(layer => layer.Min!.Value);
        var high = layers.Max(layer => layer.Max!.Value);
        var path = new StringBuilder();

        for (var i = 0; i < module.Tensors.Length; i++)
        {
            Draw(path, module.Tensors[i], (i * ColumnWidth) + (ColumnWidth / 2), Y);
        }

        var summary = Summarize(module, layers.MaxBy(Magnitude)!);
        var (lowText, highText) = (ReportText.Signed(low), ReportText.Signed(high));
        var width = module.Tensors.Length * ColumnWidth;

        return Tag.Of(
            "figure",
            Tag.Of("figcaption", Tag.Code(module.Name), " ", Tag.Of("span", summary)),
            Tag.Of(
                "div",
                Tag.Class("plot"),
                Tag.Of("p", Tag.Class("scale"), Tag.Of("span", highText), Tag.Of("span", lowText)),
                Tag.Of(
                    "svg",
                    Tag.Attribute("role", "img"),
                    Tag.Attribute("aria-label", $"Distribution of {module.Name} layer by layer, from {lowText} to {highText}. {summary}"),
                    Tag.Attribute("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {width} {Height}")),
                    Tag.Attribute("preserveAspectRatio", "none"),
                    low <= 0 && high >= 0 ? LineAt(Y(0), width) : null,
                    Tag.Of("path", Tag.Class("violin"), Tag.Path(path.ToString())))),
            ChartAxis.Of(module.Tensors[0].Layer ?? 0, module.Tensors[^1].Layer ?? 0));

        int Y(double value) => low == high ? Height / 2 : (int)Math.Round((high / (high - low) * Height) - (value / (high - low) * Height));
    }

    private static XElement LineAt(int y, int width) =>
        Tag.Of("path", Tag.Class("zero"), Tag.Path(string.Create(CultureInfo.InvariantCulture, $"M0 {y}h{width}")));

    private static double Magnitude(TensorStatistics tensor) => Math.Max(Math.Abs(tensor.Min!.Value), Math.Abs(tensor.Max!.Value));

    private static string Summarize(ModuleStatistics module, TensorStatistics widest)
    {
        var nonFinite = module.Tensors.Where(tensor => tensor.NaN + tensor.Inf > 0).Select(tensor => tensor.Layer).ToArray();
        var warning = nonFinite.Length == 0 ? "" : string.Create(
            CultureInfo.InvariantCulture,
            $" NaN or Inf in layer {string.Join(", ", nonFinite.Take(8))}{(nonFinite.Length > 8 ? ", …" : "")}.");

        return string.Create(
            CultureInfo.InvariantCulture,
            $"Farthest from 0 in layer {widest.Layer}: {ReportText.Signed(widest.Min)} to {ReportText.Signed(widest.Max)}.{warning}");
    }

    private static void Draw(StringBuilder path, TensorStatistics tensor, int center, Func<double, int> y)
    {
        if (tensor.Min is not { } min || tensor.Max is not { } max)
        {
            return;
        }

        var most = tensor.Histogram.IsEmpty ? 0 : tensor.Histogram.Max(bin => bin.Count);
        var (x, at) = (center, y(min));
        path.Append(CultureInfo.InvariantCulture, $"M{center} {at}");

        foreach (var bin in tensor.Histogram)
        {
            Line(center + WidthOf(bin), y((bin.From + bin.To) / 2));
        }

        Line(center, y(max));

        foreach (var bin in tensor.Histogram.Reverse())
        {
            Line(center - WidthOf(bin), y((bin.From + bin.To) / 2));
        }

        path.Append('z');

        int WidthOf(HistogramBin bin) => most == 0 ? 0 : (int)Math.Round(Math.Sqrt((double)bin.Count / most) * HalfWidth);

        void Line(int toX, int toY)
        {
            path.Append(CultureInfo.InvariantCulture, $"l{toX - x} {toY - at}");
            (x, at) = (toX, toY);
        }
    }
}
