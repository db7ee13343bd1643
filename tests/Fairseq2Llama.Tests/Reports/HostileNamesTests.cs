using AngleSharp.Dom;
using Fairseq2Llama.Tests.Support;
using Markdig;

namespace Fairseq2Llama.Tests.Reports;

/// <summary>Names in a checkpoint and of its folder that would be markup if they were not written as text.</summary>
[External]
public sealed class HostileNamesTests : IDisposable
{
    private static readonly string[] Names =
    [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style></title><svg onload=alert(1)>",
        "]]><!-- --><![CDATA[",
        "a|b||c\\|d\\",
        "`code` ``` `` `",
        "[link](https://evil.example) ![image](https://evil.example/x.png)",
        "https://evil.example www.evil.example <https://evil.example>",
        "# heading - item 1. item",
        "*a* _b_ **c** ~~d~~ $e$ &amp; &#60;b&#62;",
        "elif\uffff",
        "decoder.layers.0.<b>.weight",
        "##vso[task.setvariable variable=x]y",
        "<details><summary>",
    ];

    /// <summary>Tensors whose names have line breaks are refused on reading, and folders can have them, though not on Windows.</summary>
    private static readonly string FolderName = OperatingSystem.IsWindows() ? "\u202e`x`[y](z)&amp;# h" : "\u202e<b>|`x`[y](z)&amp;\n# h\u001b[31m";

    private readonly TempFolder _folder = new(FolderName);

    public HostileNamesTests() => PyTorch.Ask(
        "import json, sys, torch; torch.save({name: torch.ones(2, 2) for name in json.loads(sys.argv[2])}, sys.argv[1])",
        _folder["model.pt"],
        System.Text.Json.JsonSerializer.Serialize(Names));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Are_text_in_a_page()
    {
        using var page = HtmlReportTests.Parse(Write(ReportFormat.Html));

        Assert.Equal(Names.Select(Shown), HtmlReportTests.Names(page, "every tensor"));
        Assert.Equal(Shown(FolderName), HtmlReportTests.Text(page, "h1"));
        Assert.Empty(page.QuerySelectorAll("script, img, b, main svg:not(.bar):not([role]), main title"));
        Assert.DoesNotContain(page.All.SelectMany(element => element.Attributes), attribute => attribute.Name.StartsWith("on", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(page.Descendants(), node => node.NodeType == NodeType.Comment);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Are_text_in_Markdown(bool withAutoLinks)
    {
        var builder = new MarkdownPipelineBuilder().UsePipeTables().UseEmphasisExtras().UseTaskLists();
        var markdown = Write(ReportFormat.Markdown);
        using var page = new AngleSharp.Html.Parser.HtmlParser().ParseDocument(Markdig.Markdown.ToHtml(markdown, (withAutoLinks ? builder.UseAutoLinks() : builder).Build()));

        Assert.Empty(page.QuerySelectorAll("a, img, script, svg, b, em, del, details, li"));
        Assert.Equal([$"Checkpoint {Shown(FolderName)}"], page.QuerySelectorAll("h1").Select(heading => heading.TextContent));
        Assert.DoesNotContain(page.All.SelectMany(element => element.Attributes), attribute => attribute.Name.StartsWith("on", StringComparison.OrdinalIgnoreCase));

        // Every finding is one row of four cells, and says the name as it is.
        var rows = page.QuerySelectorAll("table")[0].QuerySelectorAll("tbody tr").ToArray();
        Assert.All(rows, row => Assert.Equal(4, row.Children.Length));
        Assert.All(Names.Select(Shown), name => Assert.Contains(rows, row => row.Children[2].TextContent == $"'{name}' is not a parameter of LLaMA"));
    }

    /// <summary>An agent of Azure Pipelines takes lines of a log that begin so for commands; a report can be written to a log.</summary>
    [Fact]
    public void Are_no_commands_of_a_pipeline() =>
        Assert.DoesNotContain(Write(ReportFormat.Markdown).Split('\n'), line => line.Contains("##vso", StringComparison.Ordinal));

    private string Write(ReportFormat format) => ReportNumbersTests.Gather(_folder.Path).ToText(format);

    private static string Shown(string name) => string.Concat(
        name.Select(c => char.IsControl(c) || c is '\u202e' or '\uffff' ? '\ufffd' : c)).Replace("##vso[", "## vso[", StringComparison.Ordinal);
}
