using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using Fairseq2Llama.Tests.Support;
using Markdig;

namespace Fairseq2Llama.Tests.Reports;

/// <summary>A report about a comparison, as a page and as Markdown.</summary>
public sealed class ComparisonReportTests : IDisposable
{
    private const string HostileName = "<img src=x onerror=alert(1)>|`[y](z)&amp;##vso[task.debug]";

    /// <summary>Saves twelve layers, and the same with changes in the place of CHANGE.</summary>
    private const string Change =
        """
        import sys, torch
        torch.manual_seed(1)
        nan = float('nan')
        state = torch.load(sys.argv[1])['model']
        a = {name: value for name, value in state.items() if '.layers.' not in name}
        for n in range(12):
            a.update({name.replace('.0.', f'.{n}.', 1): torch.randn(value.shape) for name, value in state.items() if '.layers.0.' in name})
        b = {name: value.clone() for name, value in a.items()}
        q = [f'decoder.layers.{n}.self_attn.q_proj.weight' for n in range(12)]
        CHANGE
        torch.save(a, sys.argv[2])
        torch.save(b, sys.argv[3])
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [External]
    [Fact]
    public void Shows_which_layers_moved()
    {
        using var page = HtmlReportTests.Parse(Write("for n in range(4, 12): b[q[n]] *= 1 + n / 100", ReportFormat.Html));

        Assert.Equal("left and right", HtmlReportTests.Text(page, "h1"));
        Assert.Equal("left and right: comparison report", page.Title);
        Assert.Equal(["Summary", "Layers", "Tensors that moved most", "All tensors"], page.QuerySelectorAll("h2").Select(heading => heading.TextContent));
        Assert.Equal(
            ["embedding", .. Enumerable.Range(0, 12).Select(layer => $"layer {layer}"), "final norm", "output"], HtmlReportTests.Names(page, "layers"));

        // Eight tensors moved, the last of them most: by 0.11 of itself.
        Assert.Equal(Enumerable.Range(4, 8).Reverse().Select(Query), HtmlReportTests.Names(page, "tensors that moved most"));
        Assert.Equal("0.11", page.QuerySelector("[aria-label='Table: tensors that moved most'] td .share span")!.TextContent);

        var chart = page.QuerySelector(".columns svg")!;
        Assert.Contains("the most in layer 11", chart.GetAttribute("aria-label"), StringComparison.Ordinal);
        Assert.Equal(12, chart.QuerySelector(".fill")!.GetAttribute("d")!.Count(letter => letter == 'M'));
        Assert.Contains("v-0h", chart.QuerySelector(".fill")!.GetAttribute("d"), StringComparison.Ordinal);
        Assert.Contains("v-100h", chart.QuerySelector(".fill")!.GetAttribute("d"), StringComparison.Ordinal);
        Assert.Null(chart.QuerySelector(".unknown"));
        Assert.Equal(["Result", "Largest difference", "Relative norm", "Moved most"], page.QuerySelectorAll("dt").Select(item => item.TextContent));
        Assert.Equal("8 of 111 tensors not equal", page.QuerySelector("dd strong")!.TextContent);
        Assert.Equal("layer 11", page.QuerySelectorAll("dd strong")[^1].TextContent);
    }

    [External]
    [Fact]
    public void Shows_it_in_Markdown_with_bars()
    {
        using var page = Render(Write("for n in range(4, 12): b[q[n]] *= 1 + n / 100", ReportFormat.Markdown));
        var rows = Rows(page);

        Assert.Equal("Comparison of left and right", page.QuerySelector("h1")!.TextContent);
        Assert.Equal(["Summary", "Layers", "Tensors that moved most"], page.QuerySelectorAll("h2").Select(heading => heading.TextContent));
        Assert.Contains(rows, row => row is ["Result", "8 of 111 tensors not equal", "8 different; compared bit for bit"]);
        Assert.Contains(rows, row => row is ["layer 3", "0", "", "0", "0", "9 of 9"]);
        Assert.Contains(rows, row => row is ["layer 11", _, "████████████████████", _, _, "8 of 9"]);
        Assert.Contains(rows, row => row is ["layer 4", _, { Length: >= 7 and <= 9 }, ..]);
        Assert.Equal(8, rows.Count(row => row[0].EndsWith("q_proj.weight", StringComparison.Ordinal)));
    }

    [External]
    [Fact]
    public void Puts_first_what_is_no_number()
    {
        const string Change = "b[q[3]] *= 1.5; b[q[7]][0, 0] = nan; a[q[9]][:] = 0";

        using var page = HtmlReportTests.Parse(Write(Change, ReportFormat.Html));
        using var markdown = Render(Write(Change, ReportFormat.Markdown));

        Assert.Equal([Query(7), Query(9), Query(3)], HtmlReportTests.Names(page, "tensors that moved most"));
        Assert.Equal(1, page.QuerySelector(".unknown")!.GetAttribute("d")!.Count(letter => letter == 'M'));
        Assert.Equal("No relative norm: layer 7. A number is NaN or infinite there, or the reference is all 0.", HtmlReportTests.Text(page, ".note"));
        Assert.Equal("Infinity", page.QuerySelectorAll("dd strong")[1].TextContent);
        Assert.Contains(Rows(markdown), row => row is ["layer 7", "–", "", "Infinity", "Infinity", "8 of 9"]);
        Assert.Contains("No relative norm: layer 7.", markdown.Body!.TextContent, StringComparison.Ordinal);
    }

    [External]
    [Fact]
    public void Lists_what_does_not_match()
    {
        const string Change = "del b[q[0]]; b['extra'] = a[q[1]]; b[q[2]] = b[q[2]].half(); b[q[3]] = b[q[3]][:4].clone()";
        string[][] expected =
        [
            [Query(0), "only in the first", "float32 16x16"],
            [Query(2), "another type", "float32 and float16"],
            [Query(3), "another shape", "16x16 and 4x16"],
            ["extra", "only in the second", "float32 16x16"],
        ];

        using var page = HtmlReportTests.Parse(Write(Change, ReportFormat.Html));
        using var markdown = Render(Write(Change, ReportFormat.Markdown));

        Assert.Equal(expected, page.QuerySelectorAll("[aria-label='Table: tensors that do not match'] tbody tr").Select(row => row.Children.Select(cell => cell.TextContent).ToArray()));
        Assert.Subset(Rows(markdown).Select(row => string.Join('|', row)).ToHashSet(), expected.Select(row => string.Join('|', row)).ToHashSet());
        Assert.Null(page.QuerySelector(".columns"));
        Assert.Contains("No number differs, so no layer moved.", page.Body!.TextContent, StringComparison.Ordinal);
        Assert.Equal("other", HtmlReportTests.Names(page, "layers").Last());
    }

    /// <summary>Columns of one height say nothing.</summary>
    [External]
    [Fact]
    public void Draws_no_chart_of_equal_columns()
    {
        const string Change = "b = {name: value * 2 for name, value in b.items()}";

        using var page = HtmlReportTests.Parse(Write(Change, ReportFormat.Html));
        using var markdown = Render(Write(Change, ReportFormat.Markdown));

        Assert.Null(page.QuerySelector(".columns"));
        Assert.Empty(page.QuerySelectorAll(".bar"));
        Assert.Equal(["1"], page.QuerySelectorAll(".share span").Select(norm => norm.TextContent).Distinct());
        Assert.Contains(Rows(markdown), row => row is ["layer 3", "1", "", ..]);
        Assert.Contains("All parts moved by the same amount.", page.Body!.TextContent, StringComparison.Ordinal);
        Assert.Equal(["Result", "Largest difference", "Relative norm"], page.QuerySelectorAll("dt").Select(item => item.TextContent));
        Assert.Equal(20, HtmlReportTests.Names(page, "tensors that moved most").Count());
        Assert.Contains("The first 20 of 111 tensors whose numbers differ.", page.Body!.TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ReportFormat.Html)]
    [InlineData(ReportFormat.Markdown)]
    public void Is_short_where_all_is_equal(ReportFormat format)
    {
        var text = Report(Repository.Case("fs2"), Repository.Case("deflated")).ToText(format);
        using var page = format == ReportFormat.Html ? HtmlReportTests.Parse(text) : Render(text);

        Assert.Contains("All equal", page.Body!.TextContent, StringComparison.Ordinal);
        Assert.Contains("21 tensors, bit for bit", page.Body!.TextContent, StringComparison.Ordinal);
        Assert.Contains("No number differs, so no layer moved.", page.Body!.TextContent, StringComparison.Ordinal);
        Assert.Equal(1, page.QuerySelectorAll("tbody").Count(body => body.ChildElementCount > 0));
    }

    [Theory]
    [InlineData(ReportFormat.Html)]
    [InlineData(ReportFormat.Markdown)]
    public void Says_that_tensors_could_not_be_read(ReportFormat format)
    {
        var fs2 = Fairseq2Checkpoint.Read(Repository.Case("fs2"));
        using var comparison = new CheckpointComparison(fs2, fs2);

        var text = new ComparisonReport(comparison.Summarize(comparison.Pairs.Skip(1).Select(comparison.Compare))).ToText(format);

        Assert.InRange(text.IndexOf("1 tensor could not be read.", StringComparison.Ordinal), 0, text.IndexOf("Result", StringComparison.Ordinal));
        Assert.Contains("not known", text, StringComparison.Ordinal);
    }

    [External]
    [Theory]
    [InlineData(ReportFormat.Html)]
    [InlineData(ReportFormat.Markdown)]
    public void Names_stay_text(ReportFormat format)
    {
        const string Shown = "<img src=x onerror=alert(1)>|`[y](z)&amp;## vso[task.debug]";
        var name = OperatingSystem.IsWindows() ? "`x`&amp;" : "<b>|`x`&amp;";
        using var hostile = new TempFolder(name + "\u202e");
        var text = Write($"a['{HostileName}'] = b['{HostileName}'] = a[q[0]]; b['{HostileName}'] = a[q[0]] + 1; b['2{HostileName}'] = a[q[0]]", format, hostile);

        using var page = format == ReportFormat.Html ? HtmlReportTests.Parse(text) : Render(text);

        Assert.Empty(page.QuerySelectorAll("script, img, b, a[href*='z']"));
        Assert.Contains(name + "\ufffd", page.QuerySelector("h1")!.TextContent, StringComparison.Ordinal);
        Assert.Contains(page.QuerySelectorAll("tbody code"), cell => cell.TextContent == Shown);
        Assert.Contains(page.QuerySelectorAll("tbody code"), cell => cell.TextContent == "2" + Shown);
        Assert.DoesNotContain("##vso", text, StringComparison.Ordinal);
    }

    [External]
    [Theory]
    [InlineData(ReportFormat.Html)]
    [InlineData(ReportFormat.Markdown)]
    public void Is_written_in_the_same_bytes_each_time(ReportFormat format) =>
        Assert.Equal(Write("b[q[3]] *= 1.5", format), Report(_folder["left"], _folder["right"]).ToText(format));

    internal static ComparisonReport Report(string reference, string difference)
    {
        using var comparison = new CheckpointComparison(Fairseq2Checkpoint.Read(reference), Fairseq2Checkpoint.Read(difference)) { MeasuresDistances = true };
        return new ComparisonReport(comparison.Summarize(comparison.Pairs.Select(comparison.Compare)));
    }

    private static string Query(int layer) => $"decoder.layers.{layer}.self_attn.q_proj.weight";

    private static IHtmlDocument Render(string markdown) =>
        new HtmlParser().ParseDocument(Markdig.Markdown.ToHtml(markdown, new MarkdownPipelineBuilder().UsePipeTables().Build()));

    private static string[][] Rows(IHtmlDocument page) =>
        [.. page.QuerySelectorAll("tbody tr").Select(row => row.Children.Select(cell => cell.TextContent.Trim()).ToArray())];

    private string Write(string change, ReportFormat format, TempFolder? left = null)
    {
        Directory.CreateDirectory(_folder["left"]);
        Directory.CreateDirectory(_folder["right"]);
        PyTorch.Ask(
            Change.Replace("CHANGE", change, StringComparison.Ordinal),
            Path.Combine(Repository.Case("fs2"), "model.pt"),
            left?["model.pt"] ?? _folder["left/model.pt"],
            _folder["right/model.pt"]);

        return Report(left?.Path ?? _folder["left"], _folder["right"]).ToText(format);
    }
}
