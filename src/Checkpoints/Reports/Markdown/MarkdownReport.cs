using System.Globalization;
using System.Text;

namespace Fairseq2Llama.Reports.Markdown;

/// <summary>A report for the summary page of a pipeline: short, and without what only a page can show.</summary>
internal static class MarkdownReport
{
    /// <summary>A summary page has a limit; the rest is counted.</summary>
    private const int ShownFindings = 50;

    private const int ShownRows = 24;

    public static string Write(CheckpointReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# Checkpoint {MarkdownText.Of(report.Checkpoint.Name)}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{MarkdownText.Code(report.Checkpoint.Path)}\n\n");

        AppendFindings(text, report);
        AppendSummary(text, report);
        AppendArchitecture(text, report);
        AppendWeights(text, report);

        if (report.Measured is { } measured)
        {
            AppendStatistics(text, ModuleStatistics.AllOf(measured));
        }

        return text.ToString();
    }

    private static void AppendFindings(StringBuilder text, CheckpointReport report)
    {
        text.Append(CultureInfo.InvariantCulture, $"## Findings\n\n**{ReportVerdict.Of(report)}**\n\n");

        if (!report.Findings.IsEmpty)
        {
            text.Append(MarkdownTable.Of(
                ["Severity", "Id", "What", "What to do"],
                report.Findings.Take(ShownFindings).Select(finding => new[]
                {
                    $"**{finding.Severity}**",
                    finding.Code.ToString(),
                    MarkdownText.Of(finding.Message),
                    MarkdownText.Of(RecommendedAction.Of(finding)),
                })));
            text.Append('\n');
        }

        if (report.Findings.Length > ShownFindings)
        {
            text.Append(CultureInfo.InvariantCulture, $"And {report.Findings.Length - ShownFindings} more.\n\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"{ReportVerdict.ScopeOf(report)}\n");
    }

    private static void AppendSummary(StringBuilder text, CheckpointReport report)
    {
        text.Append("\n## Summary\n\n");
        text.Append(MarkdownTable.Of(
            ["", "", ""],
            ReportSummary.Of(report).Select(item => new[] { item.Name, MarkdownText.Of(item.Value), MarkdownText.Of(item.Detail ?? "") })));
    }

    private static void AppendArchitecture(StringBuilder text, CheckpointReport report)
    {
        text.Append("\n## Architecture\n\n");
        text.Append(MarkdownTable.Of(
            ["Number", "#Expected", "#Found", "Verdict"],
            report.Settings.Select(setting => new[]
            {
                setting.Name,
                MarkdownText.Of(setting.Expected ?? "–"),
                MarkdownText.Of(setting.Found ?? "–"),
                setting.Verdict == SettingVerdict.Differs ? $"**{setting.VerdictText}**" : setting.VerdictText,
            })));
    }

    private static void AppendWeights(StringBuilder text, CheckpointReport report)
    {
        text.Append("\n## Weights\n\n");
        AppendParts(text, "Kind", report.Kinds, report.Weights);

        text.Append('\n');
        AppendFolded(text, "By layer", report.ByLayer.Length > ShownRows, () => AppendParts(text, "Part", report.ByLayer, report.Weights));

        text.Append('\n');
        AppendFolded(text, "Files", report.Files.Length > ShownRows, () => text.Append(MarkdownTable.Of(
            ["File", "#Size", "#Tensors"],
            report.Files.Select(file => new[]
            {
                MarkdownText.Code(file.Name), Display.Size(file.Length), Display.Grouped(file.Weights.Tensors),
            }))));
    }

    private static void AppendParts(
        StringBuilder text, string first, IEnumerable<ReportedPart> parts, WeightSum whole) => text.Append(MarkdownTable.Of(
        [first, "#Parameters", "#Size", "#Share", "#Tensors", "Type"],
        parts.Select(part => new[]
        {
            part.Name,
            Display.Grouped(part.Weights.Parameters),
            Display.Size(part.Weights.Bytes),
            ReportText.Share(part.Weights.Bytes, whole.Bytes),
            Display.Grouped(part.Weights.Tensors),
            MarkdownText.Of(Display.Name(part.DTypes)),
        })));

    private static void AppendStatistics(StringBuilder text, IEnumerable<ModuleStatistics> modules)
    {
        text.Append("\n## Statistics\n\n");
        text.Append(MarkdownTable.Of(
            ["Module", "#Min", "#Max", "#Smallest std", "#Largest std", "#Zeros", "#NaN", "#Inf"],
            modules.Select(module => new[]
            {
                MarkdownText.Code(module.Name),
                Smallest(module, tensor => tensor.Min),
                Largest(module, tensor => tensor.Max),
                Smallest(module, tensor => tensor.Std),
                Largest(module, tensor => tensor.Std),
                Display.Grouped(module.Tensors.Sum(tensor => tensor.Zeros)),
                Display.Grouped(module.Tensors.Sum(tensor => tensor.NaN)),
                Display.Grouped(module.Tensors.Sum(tensor => tensor.Inf)),
            })));
    }

    private static string Smallest(ModuleStatistics module, Func<TensorStatistics, double?> get) =>
        WithLayer(module, module.Tensors.Where(tensor => get(tensor) is not null).MinBy(get), get);

    private static string Largest(ModuleStatistics module, Func<TensorStatistics, double?> get) =>
        WithLayer(module, module.Tensors.Where(tensor => get(tensor) is not null).MaxBy(get), get);

    private static string WithLayer(ModuleStatistics module, TensorStatistics? tensor, Func<TensorStatistics, double?> get) =>
        tensor is null ? "–"
        : module.Tensors.Length == 1 ? ReportText.Signed(get(tensor))
        : string.Create(CultureInfo.InvariantCulture, $"{ReportText.Signed(get(tensor))} (layer {tensor.Layer})");

    /// <summary>What is long is folded where HTML is read, and is a table below its name where it is not.</summary>
    private static void AppendFolded(StringBuilder text, string name, bool isLong, Action append)
    {
        text.Append(isLong ? $"<details><summary>{name}</summary>\n\n" : $"### {name}\n\n");
        append();
        text.Append(isLong ? "\n</details>\n" : "");
    }
}
