using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>A report as a page.</summary>
internal static class HtmlReport
{
    private static readonly string Version = typeof(HtmlReport).Assembly.GetName().Version!.ToString(3);

    public static string Write(CheckpointReport report)
    {
        (string Id, string Title, IEnumerable<object?> Content)[] sections =
        [
            ("findings", "Findings", FindingsSection.Of(report)),
            ("architecture", "Architecture", ArchitectureSection.Of(report)),
            ("weights", "Weights", WeightsSection.Of(report)),
            ("files", "Files", FilesSection.Of(report)),
            .. report.Measured is null
                ? Array.Empty<(string, string, IEnumerable<object?>)>()
                : [("statistics", "Statistics", StatisticsSection.Of(report))],
            ("tensors", "Tensors", TensorsSection.Of(report)),
        ];

        return HtmlPage.Write(
            $"{report.Checkpoint.Name}: checkpoint report",
            Tag.Of("a", Tag.Class("skip"), Tag.Attribute("href", "#report"), "Skip to the report"),
            Tag.Of(
                "header",
                Tag.Of("p", Tag.Class("kicker"), "Checkpoint report"),
                Tag.Of("h1", report.Checkpoint.Name),
                Tag.Of("p", Tag.Class("path"), Tag.Code(report.Checkpoint.Path)),
                Tag.Of(
                    "nav",
                    Tag.Attribute("aria-label", "Contents"),
                    Tag.Of("ul", sections.Select(section => Tag.Of("li", Link(section.Id, section.Title)))))),
            Tag.Of(
                "main",
                Tag.Attribute("id", "report"),
                Tag.Attribute("tabindex", "-1"),
                SummarySection.Of(report),
                sections.Select(section => Tag.Of(
                    "section",
                    Tag.Attribute("aria-labelledby", section.Id),
                    Tag.Of("h2", Tag.Attribute("id", section.Id), section.Title),
                    section.Content))),
            Tag.Of("footer", Tag.Of("p", $"Made by Fairseq2Llama {Version}.")));
    }

    private static XElement Link(string id, string title) => Tag.Of("a", Tag.Attribute("href", $"#{id}"), title);
}
