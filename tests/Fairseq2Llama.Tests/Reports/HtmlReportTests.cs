using System.Xml.Linq;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using Fairseq2Llama.Reports.Html;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Reports;

/// <summary>A report as a page, as AngleSharp reads it: it throws at whatever the HTML standard calls a parse error.</summary>
public sealed class HtmlReportTests
{
    private static readonly HtmlParser Parser = new(new HtmlParserOptions { IsStrictMode = true });

    [Theory]
    [InlineData("checkpoints/fs2")]
    [InlineData("checkpoints/lora")]
    [InlineData("checkpoints/tp2-llama3")]
    [InlineData("huggingface/sharded")]
    public void Is_well_formed_and_names_everything(string path)
    {
        var report = ReportNumbersTests.Gather(Repository.Data(path));
        using var page = Parse(report.ToText(ReportFormat.Html));

        Assert.Equal(report.Checkpoint.Name, Text(page, "h1"));
        Assert.Equal("en", page.DocumentElement.GetAttribute("lang"));
        Assert.Equal(report.Checkpoint.Tensors.Select(tensor => tensor.Name), Names(page, "every tensor"));
        Assert.Equal(report.Files.Select(file => file.Name), Names(page, "files"));
        Assert.Equal(report.Kinds.Select(kind => kind.Name), Names(page, "weights by kind"));
        Assert.Equal(report.Settings.Select(setting => setting.Name), Names(page, "the architecture held against the weights"));
    }

    [Theory]
    [InlineData("/models/v1.0/tiny_llama", "/|models/|v1.0/|tiny_|llama")]
    [InlineData(@"C:\models\v1.0\tiny", @"C:\|models\|v1.0\|tiny")]
    [InlineData("model.layers.0.mlp", "model.|layers.0.|mlp")]
    public void Names_are_broken_between_their_words(string name, string broken) =>
        Assert.Equal(broken, string.Concat(Tag.Code(name).Nodes().Select(node => node is XText text ? text.Value : "|")));

    [Fact]
    public void Needs_nothing_but_itself()
    {
        using var page = Parse(ReportNumbersTests.Gather(Repository.Case("fs2")).ToText(ReportFormat.Html));

        Assert.Empty(page.QuerySelectorAll("script, link, img, iframe, object, embed, base, form, image, use, foreignObject"));
        Assert.Empty(page.QuerySelectorAll("[src], [srcset], [action], [xlink\\:href]"));
        Assert.All(page.QuerySelectorAll("[href]"), link => Assert.StartsWith("#", link.GetAttribute("href"), StringComparison.Ordinal));
        Assert.DoesNotContain(page.All.SelectMany(element => element.Attributes), attribute => attribute.Name.StartsWith("on", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("url(", Text(page, "style"), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("@import", Text(page, "style"), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(
            "default-src 'none'; style-src 'unsafe-inline'", page.QuerySelector("meta[http-equiv='Content-Security-Policy']")!.GetAttribute("content"));
    }

    [Fact]
    public void Has_headings_in_order_landmarks_and_links_that_lead_somewhere()
    {
        using var page = Parse(ReportNumbersTests.Gather(Repository.Case("lora")).ToText(ReportFormat.Html));
        var levels = page.QuerySelectorAll("h1, h2, h3, h4").Select(heading => heading.LocalName[1] - '0').ToArray();

        Assert.Equal(1, levels[0]);
        Assert.Single(levels, level => level == 1);
        Assert.All(levels.Zip(levels[1..]), pair => Assert.True(pair.Second <= pair.First + 1));
        Assert.Single(page.QuerySelectorAll("main"));
        Assert.Single(page.QuerySelectorAll("header"));
        Assert.Single(page.QuerySelectorAll("nav[aria-label]"));
        Assert.All(page.QuerySelectorAll("a[href]"), link => Assert.NotNull(page.GetElementById(link.GetAttribute("href")![1..])));
        Assert.All(page.QuerySelectorAll("[aria-labelledby]"), section => Assert.NotNull(page.GetElementById(section.GetAttribute("aria-labelledby")!)));
        Assert.Equal(page.QuerySelectorAll("[id]").Length, page.QuerySelectorAll("[id]").Select(element => element.Id).Distinct().Count());
        Assert.All(page.QuerySelectorAll("svg"), chart => Assert.True(
            chart.GetAttribute("aria-hidden") == "true" || (chart.GetAttribute("role") == "img" && chart.GetAttribute("aria-label") is { Length: > 0 })));
    }

    [Fact]
    public void Says_of_every_finding_its_id_its_tensor_and_what_to_do()
    {
        var report = ReportNumbersTests.Gather(Repository.Case("lora"));
        using var page = Parse(report.ToText(ReportFormat.Html));
        var card = Assert.Single(page.QuerySelectorAll(".findings > li"));

        Assert.Equal("Error UnmappedTensor", card.QuerySelector(".head")!.TextContent);
        Assert.Equal(report.Findings.Select(finding => $"Tensor {finding.Tensor}"), card.QuerySelectorAll(".about").Select(about => about.TextContent));
        Assert.Contains("-AllowUnmapped", card.QuerySelector(".remedy")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_that_nothing_was_found()
    {
        using var page = Parse(ReportNumbersTests.Gather(Repository.Case("fs2")).ToText(ReportFormat.Html));

        Assert.Equal("Nothing found; the checkpoint can be exported.", Text(page, "main > section:first-child .verdict.good"));
        Assert.Null(page.QuerySelector(".findings"));
    }

    /// <summary>What needs attention comes before what the checkpoint is.</summary>
    [Theory]
    [InlineData("fs2", false)]
    [InlineData("lora", false)]
    [InlineData("fs2", true)]
    public void Opens_with_findings_then_summary_and_architecture(string name, bool statistics)
    {
        string[] expected = ["Findings", "Summary", "Architecture", "Weights", "Files", .. statistics ? ["Statistics"] : Array.Empty<string>(), "Tensors"];

        using var page = Parse(ReportNumbersTests.Gather(Repository.Case(name), statistics: statistics).ToText(ReportFormat.Html));

        Assert.Equal(expected, page.QuerySelectorAll("main > section > h2").Select(heading => heading.TextContent));
        Assert.Equal(expected, page.QuerySelectorAll("nav a").Select(link => link.TextContent));
        Assert.Equal(["Architecture", "Format"], page.QuerySelectorAll("dt").Take(2).Select(item => item.TextContent));
    }

    [Fact]
    public void Shows_statistics_of_every_tensor_as_they_are_measured()
    {
        using var page = Parse(ReportNumbersTests.Gather(Repository.Case("fs2"), statistics: true).ToText(ReportFormat.Html));
        var checkpoint = Fairseq2Checkpoint.Read(Repository.Case("fs2"));
        using var measurement = new TensorMeasurement();
        var expected = checkpoint.Tensors.Select(tensor => measurement.Measure(tensor))
            .Select(tensor => new[] { tensor.Name, Display.Number(tensor.Min), Display.Number(tensor.Max), Display.Number(tensor.Mean), Display.Number(tensor.Std), $"{tensor.Zeros}", "0", "0" });

        var rows = page.QuerySelectorAll("[aria-label='Table: statistics of every tensor'] tbody tr")
            .Select(row => row.Children.Select(cell => cell.TextContent.Replace('−', '-')).ToArray());
        Assert.Equal(expected, rows);

        // Embedding and output together, nine modules of a layer, each with a shape for both layers, and the last norm.
        Assert.Equal([2, .. Enumerable.Repeat(2, 9), 1], page.QuerySelectorAll(".violin").Select(chart => chart.GetAttribute("d")!.Count(c => c == 'M')));
    }

    /// <summary>Columns of one height say nothing.</summary>
    [Theory]
    [InlineData("fs2", "2 layers of 3.10K parameters each (12.13 KiB).", "float32")]
    [InlineData("bias", "2 layers of nearly the same size, 6.06 KiB to 6.09 KiB.", "bfloat16")]
    public void Says_in_a_sentence_what_a_chart_of_equal_columns_would_show(string name, string sentence, string type)
    {
        using var page = Parse(ReportNumbersTests.Gather(Repository.Case(name)).ToText(ReportFormat.Html));

        Assert.Null(page.QuerySelector(".columns"));
        Assert.Contains(sentence, page.QuerySelectorAll("section[aria-labelledby='weights'] > p").Select(paragraph => paragraph.TextContent));
        Assert.Contains($"All weights are {type}.", page.QuerySelectorAll("section[aria-labelledby='weights'] > p").Select(paragraph => paragraph.TextContent));
        Assert.Empty(page.QuerySelectorAll("[aria-label='Table: weights by element type'], [aria-label='Table: files'] .share"));
    }

    /// <summary>Layers of 1 to 60 numbers, the first of another type.</summary>
    [External]
    [Fact]
    public void Keeps_charts_of_columns_that_differ()
    {
        using var folder = new TempFolder();
        PyTorch.Ask(
            "import sys, torch; torch.save({f'decoder.layers.{n}.ffn_layer_norm.weight': torch.ones(n + 1, dtype=torch.half if n == 0 else None) for n in range(60)}, sys.argv[1])",
            folder["model.pt"]);

        using var page = Parse(ReportNumbersTests.Gather(folder.Path).ToText(ReportFormat.Html));

        Assert.Equal("Bytes of each layer: 2 B to 240 B", Text(page, ".columns figcaption"));
        Assert.Equal(60, page.QuerySelector(".columns .fill")!.GetAttribute("d")!.Count(letter => letter == 'M'));
        Assert.Equal(["float32", "float16"], Names(page, "weights by element type"));
        Assert.Equal(2, page.QuerySelectorAll("[aria-label='Table: weights by element type'] .bar").Length);
    }

    /// <summary>Files that are as large as each other have shares, and no bars.</summary>
    [Fact]
    public void Draws_no_equal_bars_in_tables()
    {
        using var page = Parse(ReportNumbersTests.Gather(Repository.Case("tp2-llama3")).ToText(ReportFormat.Html));

        Assert.Equal(["50.0 %", "50.0 %"], page.QuerySelectorAll("[aria-label='Table: files'] .share span").Select(share => share.TextContent));
        Assert.Empty(page.QuerySelectorAll("[aria-label='Table: files'] .bar"));
        Assert.Equal(8, page.QuerySelectorAll("[aria-label='Table: weights by kind'] .bar").Length);
    }

    /// <summary>Each format has names of its own for them.</summary>
    [Theory]
    [InlineData("checkpoints/fs2", "decoder_frontend.embed and final_proj", "decoder.layer_norm")]
    [InlineData("checkpoints/tied-absent", "decoder_frontend.embed", "decoder.layer_norm")]
    [InlineData("huggingface/single", "model.embed_tokens and lm_head", "model.norm")]
    [InlineData(null, "tok_embeddings and output", "norm")]
    public void Draws_what_is_outside_of_the_layers_beside_them(string? path, string tables, string norm)
    {
        using var reference = new TempFolder();
        CheckpointExport.Plan(
            Fairseq2Checkpoint.Read(Repository.Case("fs2")), reference["out"], new ReferenceExportOptions { Architecture = TinyModel.Architecture }).Execute();
        var architecture = TinyModel.Architecture with { TiedEmbeddings = path is "checkpoints/tied-absent" };
        var report = ReportNumbersTests.Gather(path is null ? reference["out"] : Repository.Data(path), architecture, statistics: true);
        using var page = Parse(report.ToText(ReportFormat.Html));
        var statistics = report.Measured!.Value.Select(item => item.Statistics).ToDictionary(tensor => tensor.Name);
        var plots = page.QuerySelectorAll(".plots figure");

        Assert.Equal(tables, string.Join(" and ", plots[0].QuerySelectorAll("figcaption code").Select(name => name.TextContent)));
        Assert.Equal(norm, plots[^1].QuerySelector("figcaption code")!.TextContent);
        Assert.Equal(11, plots.Length);
        Assert.Equal(tables.Contains("and", StringComparison.Ordinal) ? ["embedding", "output"] : ["embedding"], plots[0].QuerySelectorAll(".axis span").Select(label => label.TextContent));

        // On one scale, that of the wider of both.
        var both = tables.Split(" and ").Select(name => statistics[$"{name}.weight"]).ToArray();
        AssertScale(both.Min(tensor => tensor.Min), both.Max(tensor => tensor.Max), plots[0]);
        AssertScale(statistics[$"{norm}.weight"].Min, statistics[$"{norm}.weight"].Max, plots[^1]);

        static void AssertScale(double? low, double? high, AngleSharp.Dom.IElement plot) => Assert.Equal(
            [Display.Number(high), Display.Number(low)],
            plot.QuerySelectorAll(".scale span").Select(label => label.TextContent.Replace('−', '-')));
    }

    [External]
    [Fact]
    public void Says_which_of_both_tables_holds_numbers_that_are_none()
    {
        using var folder = new TempFolder();
        using var page = Parse(ReportNumbersTests.Gather(WriteNonFinite(folder), statistics: true).ToText(ReportFormat.Html));

        Assert.EndsWith(" NaN or Inf in output.", page.QuerySelector(".plots figcaption span")!.TextContent, StringComparison.Ordinal);
    }

    [External]
    [Fact]
    public void Tells_of_numbers_that_are_none()
    {
        using var folder = new TempFolder();
        using var page = Parse(ReportNumbersTests.Gather(WriteNonFinite(folder), statistics: true).ToText(ReportFormat.Html));

        Assert.Equal("NaN in 1 and Inf in 2 of 21 tensors. 1 error, 1 warning.", Text(page, "main > section:first-child .verdict.bad"));
        Assert.Equal(["Error NonFiniteNumbers", "Warning NonFiniteNumbers"], page.QuerySelectorAll(".findings .head").Select(head => head.TextContent));
        Assert.Equal(
            "'decoder.layers.0.ffn.gate_proj.weight' contains 5 NaN and 1 Inf among 768 float32 numbers",
            page.QuerySelector(".findings > li li")!.FirstChild!.TextContent);
        Assert.Equal(["5", "1", "1"], page.QuerySelectorAll("[aria-label='Table: statistics of every tensor'] .bad").Select(cell => cell.TextContent));
    }

    /// <summary>An Inf is a warning, and yet more than a number of the architecture that differs.</summary>
    [External]
    [Theory]
    [InlineData(ReportFormat.Html)]
    [InlineData(ReportFormat.Markdown)]
    public void Tells_of_numbers_that_are_none_before_anything_else(ReportFormat format)
    {
        using var folder = new TempFolder();
        var report = ReportNumbersTests.Gather(WriteNonFinite(folder), TinyModel.Architecture with { VocabSize = 41 }, statistics: true);

        Assert.Equal(
            [
                (FindingSeverity.Error, CheckpointErrorCode.NonFiniteNumbers),
                (FindingSeverity.Warning, CheckpointErrorCode.NonFiniteNumbers),
                (FindingSeverity.Error, CheckpointErrorCode.ArchitectureMismatch),
            ],
            report.Findings.Select(finding => (finding.Severity, finding.Code)).Distinct());

        var text = report.ToText(format);
        string[] inOrder = ["NaN in 1 and Inf in 2 of 21 tensors. ", "NonFiniteNumbers", "ArchitectureMismatch", format == ReportFormat.Html ? "Summary</h2>" : "## Summary", "RopeTheta"];
        var places = inOrder.Select(words => text.IndexOf(words, StringComparison.Ordinal)).ToArray();
        Assert.Equal(places.Order(), places);
        Assert.DoesNotContain(-1, places);
        Assert.Contains("2 errors, 1 warning; the checkpoint", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Tells_of_tensors_that_can_not_be_read()
    {
        using var folder = new TempFolder();
        CheckpointFolder.Copy("fs2", folder["damaged"]);
        CheckpointFolder.Damage(folder["damaged"], "decoder.layers.0.ffn.gate_proj.weight");

        var report = ReportNumbersTests.Gather(folder["damaged"], statistics: true);

        var finding = Assert.Single(report.Findings);
        Assert.Equal((CheckpointErrorCode.CheckpointCorrupt, "decoder.layers.0.ffn.gate_proj.weight"), (finding.Code, finding.Tensor));
        Assert.Equal(report.Checkpoint.Tensors.Length - 1, report.Measured!.Value.Length);
        using var page = Parse(report.ToText(ReportFormat.Html));
        Assert.Equal("1 error; the checkpoint can't be exported as it is.", Text(page, ".verdict.bad"));
        Assert.Contains("in the numbers of 20 of 21 tensors", Text(page, ".findings + .note"), StringComparison.Ordinal);
    }

    /// <summary>405B has as many layers as any that was published.</summary>
    [Fact]
    public void Stays_readable_for_the_largest_models()
    {
        using var folder = new TempFolder();
        var architecture = LlamaArchitectures.Find("llama3_1_70b") with { Name = "deep", NumLayers = 126 };
        var report = ReportNumbersTests.Gather(BigCheckpoint.Write(folder.Path, architecture), architecture);
        var html = report.ToText(ReportFormat.Html);

        Assert.InRange(html.Length, 100_000, 1_000_000);
        using var page = Parse(html);
        Assert.Equal((126 * 9) + 3, page.QuerySelectorAll("[aria-label='Table: every tensor'] tbody tr").Length);
        Assert.Equal(["Layers 0 to 125, each", "Outside of the layers"], Names(page, "weights by layer"));
        Assert.Equal(architecture.ParameterCount, report.Weights.Parameters);
        Assert.InRange(report.ToText(ReportFormat.Markdown).Length, 1_000, 10_000);
    }

    /// <summary>Five NaN and an Inf in one tensor, and an Inf in another.</summary>
    private static string WriteNonFinite(TempFolder folder)
    {
        PyTorch.Ask(
            """
            import math, sys, torch
            source = torch.load(sys.argv[1])
            weight = source['model']['decoder.layers.0.ffn.gate_proj.weight']
            weight[3, :5], weight[4, 0] = math.nan, -math.inf
            source['model']['final_proj.weight'][0, 0] = math.inf
            torch.save(source, sys.argv[2])
            """,
            Path.Combine(Repository.Case("fs2"), "model.pt"),
            folder["model.pt"]);

        return folder.Path;
    }

    internal static IHtmlDocument Parse(string html) => Parser.ParseDocument(html);

    internal static string Text(IHtmlDocument page, string selector) => page.QuerySelector(selector)!.TextContent;

    internal static IEnumerable<string> Names(IHtmlDocument page, string table) =>
        page.QuerySelectorAll($"[aria-label='Table: {table}'] tbody th").Select(cell => cell.TextContent);
}
