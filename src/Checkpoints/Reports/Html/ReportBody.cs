using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>A part of a page, with a link to it at the top.</summary>
/// <param name="Id">What the link leads to.</param>
/// <param name="Title">Its heading.</param>
/// <param name="Content">What is in it.</param>
internal sealed record ReportSection(string Id, string Title, IEnumerable<object?> Content);

/// <summary>What pages of all kinds have in common: a head with links, and sections.</summary>
internal static class ReportBody
{
    private static readonly string Version = typeof(ReportBody).Assembly.GetName().Version!.ToString(3);

    /// <param name="kind">What kind of report it is: <c>Checkpoint report</c>.</param>
    /// <param name="name">What it is about.</param>
    /// <param name="paths">Where that lies.</param>
    /// <param name="sections">The sections, that first for which a reader opens it.</param>
    public static string Write(string kind, string name, IEnumerable<string> paths, IReadOnlyCollection<ReportSection> sections) => HtmlPage.Write(
        $"{name}: {char.ToLowerInvariant(kind[0])}{kind[1..]}",
        Tag.Of("a", Tag.Class("skip"), Tag.Attribute("href", "#report"), "Skip to the report"),
        Tag.Of(
            "header",
            Tag.Of("p", Tag.Class("kicker"), kind),
            Tag.Of("h1", name),
            paths.Select(path => Tag.Of("p", Tag.Class("path"), Tag.Code(path))),
            Tag.Of(
                "nav",
                Tag.Attribute("aria-label", "Contents"),
                Tag.Of("ul", sections.Select(section => Tag.Of("li", Link(section.Id, section.Title)))))),
        Tag.Of(
            "main",
            Tag.Attribute("id", "report"),
            Tag.Attribute("tabindex", "-1"),
            sections.Select(section => Tag.Of(
                "section",
                Tag.Attribute("aria-labelledby", section.Id),
                Tag.Of("h2", Tag.Attribute("id", section.Id), section.Title),
                section.Content))),
        Tag.Of("footer", Tag.Of("p", $"Made by Fairseq2Llama {Version}.")));

    private static XElement Link(string id, string title) => Tag.Of("a", Tag.Attribute("href", $"#{id}"), title);
}
