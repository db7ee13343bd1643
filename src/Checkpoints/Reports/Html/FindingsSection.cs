using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>What needs attention, and where was looked for it. What is of one kind and needs one remedy stands together.</summary>
internal static class FindingsSection
{
    /// <summary>A checkpoint that is no LLaMA has as many as tensors; the rest of a kind is folded.</summary>
    private const int Shown = 10;

    public static IEnumerable<object?> Of(CheckpointReport report)
    {
        yield return Tag.Of("p", Tag.Class($"verdict {ClassOf(report)}"), ReportVerdict.Of(report));
        yield return report.Findings.IsEmpty ? null : Tag.Of("ul", Tag.Class("findings"), FindingGroup.AllOf(report.Findings).Select(Card));
        yield return Tag.Of("p", Tag.Class("note"), ReportVerdict.ScopeOf(report));
    }

    private static string ClassOf(CheckpointReport report) => report.Findings.Select(finding => finding.Severity).DefaultIfEmpty().Max() switch
    {
        FindingSeverity.Error => "bad",
        FindingSeverity.Warning => "caution",
        _ => "good",
    };

    private static XElement Card(FindingGroup group) => Tag.Of(
        "li",
        Tag.Class(group.Severity switch { FindingSeverity.Error => "error", FindingSeverity.Warning => "warning", _ => "information" }),
        Tag.Of("p", Tag.Class("head"), Tag.Of("strong", group.Severity.ToString()), " ", Tag.Code(group.Code.ToString())),
        ListOf(group.Findings.Take(Shown)),
        group.Findings.Length <= Shown
            ? null
            : Tag.Of(
                "details",
                Tag.Of("summary", $"{Display.Grouped(group.Findings.Length - Shown)} more"),
                ListOf(group.Findings.Skip(Shown))),
        Tag.Of("p", Tag.Class("remedy"), Tag.Of("span", "What to do: "), group.RecommendedAction));

    private static XElement ListOf(IEnumerable<CheckpointFinding> findings) => Tag.Of("ul", findings.Select(finding => Tag.Of(
        "li",
        Tag.Of("span", Tag.Breakable(finding.Message)),
        finding.Tensor is null ? null : Tag.Of("p", Tag.Class("about"), "Tensor ", Tag.Code(finding.Tensor)))));
}
