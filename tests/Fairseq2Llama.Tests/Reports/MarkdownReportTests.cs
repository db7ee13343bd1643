using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using Fairseq2Llama.Tests.Support;
using Markdig;

namespace Fairseq2Llama.Tests.Reports;

/// <summary>A report as Markdown, as Markdig reads it.</summary>
public sealed class MarkdownReportTests
{
    [Fact]
    public void Has_tables_with_what_matters()
    {
        using var page = Render(ReportNumbersTests.Gather(Repository.Case("tp2-llama3")));

        Assert.Equal(["Findings", "Summary", "Architecture", "Weights"], page.QuerySelectorAll("h2").Select(heading => heading.TextContent));
        Assert.Contains("Nothing found; the checkpoint can be exported.", page.Body!.TextContent, StringComparison.Ordinal);
        Assert.Contains(Rows(page), row => row is ["Parameters", "7.50K", "7,504"]);
        Assert.Contains(Rows(page), row => row is ["FFN", "4,608", "18.00 KiB", "61.4 %", "6", "float32"]);
        Assert.Contains(Rows(page), row => row is ["model.1.pt", ..]);
        Assert.Contains(Rows(page), row => row is ["VocabSize", "40", "40", "agrees"]);
    }

    [Fact]
    public void Has_the_findings_with_their_ids()
    {
        using var page = Render(ReportNumbersTests.Gather(Repository.Case("lora")));

        Assert.Equal(4, Rows(page).Count(row => row is ["Error", "UnmappedTensor", var message, var remedy] && message.Contains("lora_", StringComparison.Ordinal) && remedy.Length > 0));
    }

    [Fact]
    public void Names_the_layer_where_numbers_are_farthest_out()
    {
        var report = ReportNumbersTests.Gather(Repository.Case("fs2"), statistics: true);
        using var page = Render(report);

        var largest = report.Measured!.Value.Where(item => item.Tensor.Name.EndsWith("q_proj.weight", StringComparison.Ordinal)).MaxBy(item => item.Statistics.Max).Statistics;
        Assert.Equal(
            ["decoder_frontend.embed", "decoder.layer_norm", "final_proj"],
            Rows(page).Select(row => row[0]).Where(name => name is "decoder_frontend.embed" or "decoder.layer_norm" or "final_proj"));
        Assert.Contains(Rows(page), row => row is ["final_proj", var min, ..] && min == Display.Number(report.Measured!.Value[^1].Statistics.Min).Replace('-', '−'));
        Assert.Contains(Rows(page), row => row is ["self_attn.q_proj", _, var max, ..] && max == $"{Display.Number(largest.Max)} (layer {largest.Layer})");
    }

    [External]
    [Fact]
    public void Folds_what_is_long()
    {
        using var folder = new TempFolder();
        var architecture = TinyModel.Architecture with { NumLayers = 60 };
        PyTorch.Ask(
            """
            import sys, torch
            torch.save({f'decoder.layers.{n}.ffn_layer_norm.weight': torch.ones(n + 1) for n in range(60)}, sys.argv[1])
            """,
            folder["model.pt"]);

        using var page = Render(ReportNumbersTests.Gather(folder.Path, architecture));

        Assert.Equal("By layer", page.QuerySelector("details summary")!.TextContent);
        Assert.Equal(61, page.QuerySelectorAll("details table tbody tr").Length);
    }

    private static IHtmlDocument Render(CheckpointReport report) =>
        new HtmlParser().ParseDocument(Markdig.Markdown.ToHtml(report.ToText(ReportFormat.Markdown), new MarkdownPipelineBuilder().UsePipeTables().Build()));

    private static string[][] Rows(IHtmlDocument page) =>
        [.. page.QuerySelectorAll("tbody tr").Select(row => row.Children.Select(cell => cell.TextContent.Trim()).ToArray())];
}
