using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>
/// How the weights of modules are distributed, tensor beside tensor on one scale: as wide as there are many (by the square root, for
/// tails to be seen) from the smallest to the largest. A layer with outliers is longer than the others.
/// </summary>
internal static class DistributionChart
{
    private const int ColumnWidth = 24;
    private const int HalfWidth = 10;
    private const int Height = 200;

    /// <summary>So many rem a shape is wide at most: one alone would fill the plot.</summary>
    private const int ShapeWidth = 5;

    /// <param name="modules">One module of all layers, or those outside of the layers that are comparable.</param>
    public static XElement? Of(IReadOnlyList<ModuleStatistics> modules)
    {
        var shapes = modules.SelectMany(module => module.Tensors.Select(tensor => new Shape(PlaceOf(module, tensor), tensor))).ToArray();
        var drawn = shapes.Where(shape => shape.Tensor.Min is not null).ToArray();

        if (drawn.Length == 0 || shapes.Length > ChartAxis.MaxLayers)
        {
            return null;
        }

        var low = drawn.Min(shape => shape.Tensor.Min!.Value);
        var high = drawn.Max(shape => shape.Tensor.Max!.Value);
        var path = new StringBuilder();

        for (var i = 0; i < shapes.Length; i++)
        {
            Draw(path, shapes[i].Tensor, (i * ColumnWidth) + (ColumnWidth / 2), Y);
        }

        var summary = Summarize(shapes, drawn.MaxBy(Magnitude)!);
        var (lowText, highText) = (ReportText.Signed(low), ReportText.Signed(high));
        var width = shapes.Length * ColumnWidth;
        var maxWidth = shapes.Length * ShapeWidth;

        return Tag.Of(
            "figure",
            Tag.Of(
                "figcaption",
                modules.SelectMany((module, index) => new object?[] { index == 0 ? null : " and ", Tag.Code(module.Name) }),
                " ",
                Tag.Of("span", summary)),
            Tag.Of(
                "div",
                Tag.Class("plot"),
                Tag.Of("p", Tag.Class("scale"), Tag.Of("span", highText), Tag.Of("span", lowText)),
                Tag.Of(
                    "svg",
                    Tag.Attribute("role", "img"),
                    Tag.Attribute(
                        "aria-label",
                        $"Distribution of {string.Join(" and ", modules.Select(module => module.Name))}, from {lowText} to {highText}. {summary}"),
                    Tag.Attribute("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {width} {Height}")),
                    Tag.Attribute("preserveAspectRatio", "none"),
                    ChartAxis.MaxWidth(maxWidth),
                    low <= 0 && high >= 0 ? LineAt(Y(0), width) : null,
                    Tag.Of("path", Tag.Class("violin"), Tag.Path(path.ToString())))),
            shapes[0].Tensor.Layer is { } first
                ? ChartAxis.Of(first, shapes[^1].Tensor.Layer!.Value, maxWidth)
                : ChartAxis.Of([.. shapes.Select(shape => shape.Place)], maxWidth));

        int Y(double value) => low == high ? Height / 2 : (int)Math.Round((high / (high - low) * Height) - (value / (high - low) * Height));
    }

    private static string PlaceOf(ModuleStatistics module, TensorStatistics tensor) => tensor.Layer is { } layer
        ? string.Create(CultureInfo.InvariantCulture, $"layer {layer}")
        : KindNames.OfOne(module.Parameter.Kind);

    private static XElement LineAt(int y, int width) =>
        Tag.Of("path", Tag.Class("zero"), Tag.Path(string.Create(CultureInfo.InvariantCulture, $"M0 {y}h{width}")));

    private static double Magnitude(Shape shape) => Math.Max(Math.Abs(shape.Tensor.Min!.Value), Math.Abs(shape.Tensor.Max!.Value));

    private static string Summarize(Shape[] shapes, Shape widest)
    {
        var nonFinite = shapes.Where(shape => shape.Tensor.NaN + shape.Tensor.Inf > 0).Select(shape => shape.Place).ToArray();
        var warning = nonFinite.Length == 0 ? "" : $" NaN or Inf in {string.Join(", ", nonFinite.Take(8))}{(nonFinite.Length > 8 ? ", …" : "")}.";

        return $"Farthest from 0 in {widest.Place}: {ReportText.Signed(widest.Tensor.Min)} to {ReportText.Signed(widest.Tensor.Max)}.{warning}";
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

    /// <param name="Place">Where it is in the model.</param>
    /// <param name="Tensor">What its weights are like.</param>
    private sealed record Shape(string Place, TensorStatistics Tensor);
}
