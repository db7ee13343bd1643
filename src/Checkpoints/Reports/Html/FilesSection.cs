using System.Globalization;
using System.Xml.Linq;
using Fairseq2Llama.Model;

namespace Fairseq2Llama.Reports.Html;

/// <summary>The files, and what each holds of the model.</summary>
internal static class FilesSection
{
    private const int Shown = 32;

    public static IEnumerable<object?> Of(CheckpointReport report)
    {
        var (format, layout) = (CheckpointLayoutText.FormatOf(report.Checkpoint), CheckpointLayoutText.LayoutOf(report.Checkpoint));
        yield return Tag.Of("p", $"{format}, {layout}; {Display.Size(report.Checkpoint.SizeInBytes)} in all.");

        var table = TableOf(report);
        yield return report.Files.Length <= Shown
            ? table
            : Tag.Of("details", Tag.Of("summary", $"All {Display.Grouped(report.Files.Length)} files"), table);
    }

    private static XElement TableOf(CheckpointReport report)
    {
        var whole = report.Files.Sum(file => file.Weights.Bytes);
        var isGrid = report.Checkpoint.Format != CheckpointFormat.HuggingFace && report.Checkpoint.ShardCount > 1;

        return HtmlTable.Of(
            "files",
            ["File", .. isGrid ? ["#pp", "#tp", "#sdp"] : Array.Empty<string>(), "#Size", "#Tensors", "Share of the weights"],
            report.Files.Select(file => CellsOf(file, isGrid, whole)));
    }

    private static object?[] CellsOf(ReportedFile file, bool isGrid, long whole) =>
    [
        Tag.Code(file.Name),
        .. isGrid ? PlaceOf(file.Place) : [],
        Display.Size(file.Length),
        file.Place is null ? "–" : Display.Grouped(file.Weights.Tensors),
        file.Place is null ? "–" : Bar.Of(file.Weights.Bytes, whole),
    ];

    private static object?[] PlaceOf(ShardCoordinates? place) => place is { } known
        ? [Show(known.Pipeline), Show(known.TensorParallel), Show(known.DataParallel)]
        : ["–", "–", "–"];

    private static string Show(int rank) => rank.ToString(CultureInfo.InvariantCulture);
}
