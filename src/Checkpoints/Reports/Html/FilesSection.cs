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
        var held = report.Files.Where(file => file.Place is not null).Select(file => file.Weights.Bytes).ToArray();
        var (whole, isDrawn) = (held.Sum(), !ReportText.AreAlike(held.Select(bytes => (double?)bytes)));
        var isGrid = report.Checkpoint.Format is CheckpointFormat.Fairseq2 or CheckpointFormat.Reference && report.Checkpoint.ShardCount > 1;
        var isShared = held.Length > 1;

        return HtmlTable.Of(
            "files",
            [
                "File",
                .. isGrid ? ["#pp", "#tp", "#sdp"] : Array.Empty<string>(),
                "#Size",
                "#Tensors",
                .. isShared ? ["Share of the weights"] : Array.Empty<string>(),
            ],
            report.Files.Select(file => (object?[])
            [
                Tag.Code(file.Name),
                .. isGrid ? PlaceOf(file.Place) : [],
                Display.Size(file.Length),
                file.Place is null ? "–" : Display.Grouped(file.Weights.Tensors),
                .. isShared ? [file.Place is null ? "–" : Bar.Of(file.Weights.Bytes, whole, isDrawn)] : Array.Empty<object?>(),
            ]));
    }

    private static object?[] PlaceOf(ShardCoordinates? place) => place is { } known
        ? [Show(known.Pipeline), Show(known.TensorParallel), Show(known.DataParallel)]
        : ["–", "–", "–"];

    private static string Show(int rank) => rank.ToString(CultureInfo.InvariantCulture);
}
