using Fairseq2Llama.Tests.Support;
using OpenQA.Selenium;

namespace Fairseq2Llama.Tests.Reports;

/// <summary>What a reader sees, and can do without a mouse.</summary>
[External]
public sealed class ReportInBrowserTests(ReportPages pages) : IClassFixture<ReportPages>
{
    public static TheoryData<string> Names => ReportPages.Names;

    private Browser Browser => pages.Browser;

    [Theory]
    [MemberData(nameof(Names))]
    public void Asks_for_nothing_but_itself_and_the_browser_has_nothing_to_say(string name)
    {
        Browser.Open(pages[name], 1280, 800);

        Assert.Equal([new Uri(pages[name]).AbsoluteUri], Browser.TakeRequests());
        Assert.Empty(Browser.TakeLog(LogType.Browser));
        Assert.Equal("CSS1Compat", Browser.Ask<string>("return document.compatMode"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Draws_its_charts(string name)
    {
        Browser.Open(pages[name], 1280, 800);

        var empty = Browser.Ask<string[]>(
            """
            return [...document.querySelectorAll('svg')].filter(svg => svg.checkVisibility() && (b => b.width < 20 || b.height < 8)(svg.getBoundingClientRect()))
                .concat([...document.querySelectorAll('svg path:not(.zero)')].filter(path => path.checkVisibility() && (b => b.width < 5 || b.height < 5)(path.getBoundingClientRect())))
                .map(element => element.outerHTML)
            """);

        Assert.Empty(empty);
        Assert.Equal([], Browser.Ask<string[]>("return [...document.querySelectorAll('svg[role=img], svg[role=img] *')].filter(shape => !shape.checkVisibility()).map(shape => shape.outerHTML.slice(0, 200))"));
        Assert.Equal(name switch { "deep" => 12, "moved" => 1, _ => 0 }, Browser.Ask<int>("return document.querySelectorAll('svg[role=img]').length"));
    }

    /// <summary>At 200 % a reader's browser has a root font of 32 pixels.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Fits_phones_and_desktops_with_large_text_too(string name)
    {
        foreach (var (width, height) in new[] { (360, 740), (768, 1024), (1280, 800) })
        {
            foreach (var size in new[] { "100%", "200%" })
            {
                Browser.Open(pages[name], width, height);
                Prepare(size);

                Assert.True(width >= Browser.Ask<int>("return document.documentElement.scrollWidth"), $"{name} scrolls at {width} px, {size}");
                Assert.Equal([], Browser.Ask<string[]>(FindClipped));
                Assert.Equal([], Browser.Ask<string[]>(FindOverlaps));
            }
        }
    }

    /// <summary>As many tiles as there may be, and more: what a checkpoint has is not known to the style sheet.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Leaves_no_tile_alone_in_the_last_row(string name)
    {
        Browser.Open(pages[name], 1280, 800);
        Assert.InRange(Browser.Ask<int>("return document.querySelectorAll('.tiles > div').length"), 3, 8);

        foreach (var width in new[] { 1280, 1024, 768, 400, 360 })
        {
            Browser.Resize(width, 800);

            var rows = Browser.Ask<int[][]>(
                """
                const tiles = document.querySelector('.tiles'), all = [...tiles.children];
                const rows = all.concat(all).map((_, last) => {
                    tiles.replaceChildren(...Array.from({ length: last + 1 }, (_, i) => all[i % all.length].cloneNode(true)));
                    const tops = [...tiles.children].map(tile => tile.offsetTop);
                    return [...new Set(tops)].map(top => tops.filter(other => other === top).length);
                });
                tiles.replaceChildren(...all);
                return rows;
                """);

            Assert.All(rows, row => Assert.True(row.Length == 1 || row[^1] > 1, $"{string.Join(" + ", row)} at {width} px"));
            Assert.Equal(width < 1000 ? 2 : 4, rows.Max(row => row.Max()));
        }
    }

    [Theory]
    [InlineData("fine", "light", "screen")]
    [InlineData("found", "light", "screen")]
    [InlineData("deep", "light", "screen")]
    [InlineData("fine", "dark", "screen")]
    [InlineData("found", "dark", "screen")]
    [InlineData("deep", "dark", "screen")]
    [InlineData("moved", "light", "screen")]
    [InlineData("moved", "dark", "screen")]
    [InlineData("deep", "light", "screen", 360)]
    [InlineData("deep", "dark", "screen", 360)]
    [InlineData("moved", "light", "screen", 360)]
    [InlineData("moved", "dark", "screen", 360)]
    [InlineData("found", "dark", "print")]
    public void Has_contrast(string name, string scheme, string media, int width = 1280)
    {
        Browser.Open(pages[name], width, 800);
        Browser.Emulate(scheme, media);
        Prepare("100%");

        var poor = Browser.Ask<string[]>(FindPoorContrast);

        Assert.Empty(poor);
        var background = Browser.Ask<string>("return getComputedStyle(document.body).backgroundColor");
        Assert.Equal(media == "print" ? "rgb(255, 255, 255)" : scheme == "dark" ? "rgb(20, 23, 26)" : "rgb(252, 252, 251)", background);
    }

    [Fact]
    public void Is_used_by_keyboard()
    {
        Browser.Open(pages["deep"], 360, 740);

        Browser.Press(Keys.Tab);
        SpinWait.SpinUntil(() => Browser.Focused().StartsWith('a'), TimeSpan.FromMinutes(1));
        Assert.Equal("a.skip Skip to the report", Browser.Focused());
        Assert.True(Browser.Ask<bool>("const b = document.activeElement.getBoundingClientRect(); return b.left >= 0 && b.top >= 0 && b.right <= innerWidth"));
        Browser.Press(Keys.Enter);
        Assert.Equal("report", Browser.Ask<string>("return document.activeElement.id"));

        var reached = new List<string>();

        for (var i = 0; i < 30; i++)
        {
            Browser.Press(Keys.Tab);
            var focused = Browser.Focused();

            if (focused.StartsWith("body", StringComparison.Ordinal))
            {
                break;
            }

            Assert.NotEqual("none", Browser.Ask<string>("return getComputedStyle(document.activeElement).outlineStyle"));
            reached.Add(focused);
        }

        Assert.Contains(reached, focused => focused.StartsWith("div.scroll", StringComparison.Ordinal));
        Assert.Equal(2, reached.Count(focused => focused.StartsWith("summary", StringComparison.Ordinal)));
    }

    [Fact]
    public void Opens_what_is_folded_and_scrolls_what_is_wide_by_keyboard()
    {
        Browser.Open(pages["deep"], 768, 1024);
        Browser.Driver.ExecuteScript("document.querySelector('section[aria-labelledby=tensors] summary').focus()");

        Browser.Press(Keys.Enter);
        Assert.True(Browser.Ask<bool>("return document.activeElement.parentElement.open"));

        Browser.Press(Keys.Tab);
        Assert.StartsWith("div.scroll", Browser.Focused(), StringComparison.Ordinal);
        Assert.Equal("Table: every tensor", Browser.Ask<string>("return document.activeElement.ariaLabel"));
        Browser.Press(string.Concat(Enumerable.Repeat(Keys.ArrowRight, 3)));
        SpinWait.SpinUntil(() => Browser.Ask<double>("return document.activeElement.scrollLeft") > 0, TimeSpan.FromMinutes(1));
        Assert.True(Browser.Ask<double>("return document.activeElement.scrollLeft") > 0);
    }

    /// <summary>A tensor of 60 dimensions is what no table has room for.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Tables_need_no_scrolling(string name)
    {
        foreach (var width in new[] { 360, 400, 768, 1024, 1280 })
        {
            Browser.Open(pages[name], width, 800);
            Prepare("100%");

            Assert.Equal(
                name == "deep" && width >= 768 ? ["Table: every tensor"] : [],
                Browser.Ask<string[]>("return [...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth).map(box => box.ariaLabel)"));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Numbers_have_the_names_of_their_columns_where_there_is_no_room_for_columns(string name)
    {
        Browser.Open(pages[name], 360, 740);
        Prepare("100%");

        // Above each column there is its name, or before each number.
        var unnamed = Browser.Ask<string[]>(
            """
            return [...document.querySelectorAll('tbody td')].filter(cell => {
                const heading = cell.closest('table').querySelectorAll('thead th')[cell.cellIndex];
                return !heading.checkVisibility() && getComputedStyle(cell, '::before').content !== `"${heading.textContent}"`;
            }).map(cell => cell.closest('.scroll').ariaLabel + ': ' + cell.outerHTML);
            """);

        Assert.Equal([], unnamed);
        Assert.True(Browser.Ask<bool>("return [...document.querySelectorAll('thead')].some(head => !head.checkVisibility())"));

        Browser.Resize(1280, 740);
        Assert.True(Browser.Ask<bool>("return [...document.querySelectorAll('thead')].every(head => head.checkVisibility())"));
        Assert.True(Browser.Ask<bool>("return [...document.querySelectorAll('tbody td')].every(cell => getComputedStyle(cell, '::before').content === 'none')"));
    }

    /// <summary>On a phone a name of several words is broken after a dot or an underscore.</summary>
    [Fact]
    public void Names_are_broken_between_their_words()
    {
        Browser.Open(pages["deep"], 360, 740);
        Prepare("100%");

        var lines = Browser.Ask<string[]>(
            """
            const name = [...document.querySelectorAll("[aria-label='Table: every tensor'] th code")].find(code => code.textContent === 'decoder.layers.100.self_attn_layer_norm.weight');
            const range = document.createRange(), lines = new Map();
            for (const node of name.childNodes) {
                for (let i = 0; i < (node.length ?? 0); i++) {
                    range.setStart(node, i);
                    range.setEnd(node, i + 1);
                    const top = Math.round(range.getBoundingClientRect().top);
                    lines.set(top, (lines.get(top) ?? '') + node.data[i]);
                }
            }
            return [...lines.values()];
            """);

        Assert.InRange(lines.Length, 2, 3);
        Assert.All(lines[..^1], line => Assert.EndsWith(line.Trim()[^1] == '_' ? "_" : ".", line, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Is_printed_with_what_is_folded(string name)
    {
        Browser.Open(pages[name], 1280, 800);
        var pdf = Browser.Driver.Print(new PrintOptions()).AsByteArray;

        Assert.Equal("%PDF-"u8, pdf.AsSpan(0, 5));

        // A4 without its margins.
        Browser.Resize(718, 1047);
        Browser.Emulate("dark", "print");

        // What was hidden becomes visible with the next frame.
        SpinWait.SpinUntil(() => Hidden().Length == 0, TimeSpan.FromMinutes(1));
        Assert.Equal([], Hidden());
        Assert.True(Browser.Ask<bool>("return [...document.querySelectorAll('thead')].every(head => head.checkVisibility())"));
        Assert.InRange(Browser.Ask<int>("return document.documentElement.scrollWidth"), 0, 718);

        string[] Hidden() => Browser.Ask<string[]>(
            "return [...document.querySelectorAll('details tbody th')]"
            + ".filter(th => !th.checkVisibility({ contentVisibilityAuto: true })).map(th => th.textContent)");
    }

    [Fact]
    public void Lets_an_unlike_layer_stand_out()
    {
        Browser.Open(pages["deep"], 1280, 800);

        // Layer 17 has four times the deviation of the others.
        var captions = Browser.Ask<string[]>("return [...document.querySelectorAll('.plots figcaption')].map(caption => caption.innerText)");
        Assert.Equal(11, captions.Length);

        // A shape for each of 126 layers, from edge to edge, between what is outside of them.
        Assert.Equal(
            [2, .. Enumerable.Repeat(126, 9), 1],
            Browser.Ask<int[]>("return [...document.querySelectorAll('.violin')].map(path => path.getAttribute('d').match(/M/g).length)"));
        Assert.All(
            Browser.Ask<double[]>("return [...document.querySelectorAll('.violin')].map(path => path.getBoundingClientRect().width / path.parentElement.getBoundingClientRect().width)")[1..^1],
            width => Assert.InRange(width, 0.98, 1));
        Assert.All(captions[1..^1], caption => Assert.Contains("in layer 17:", caption, StringComparison.Ordinal));
        Assert.Contains("NaN or Inf in layer 3.", captions.Single(caption => caption.Contains("ffn.inner_proj", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    /// <summary>A shape alone does not fill its plot, and stands above its name.</summary>
    [Fact]
    public void Draws_shapes_of_the_same_kind_above_their_names()
    {
        foreach (var width in new[] { 360, 1280 })
        {
            Browser.Open(pages["deep"], width, 800);

            var centers = Browser.Ask<double[][]>(
                """
                const center = element => { const box = element.getBoundingClientRect(); return (box.left + box.right) / 2; };
                return [...document.querySelectorAll('.plots figure:has(.names)')].map(figure => [
                    center(figure.querySelector('svg')), center(figure.querySelector('.axis')), figure.querySelector('svg').getBoundingClientRect().width,
                ]);
                """);

            Assert.Equal([160, 80], centers.Select(figure => figure[2]));
            Assert.All(centers, figure => Assert.Equal(figure[0], figure[1], 0.5));
        }
    }

    /// <summary>Everything open, at a size of the root font.</summary>
    private void Prepare(string fontSize) => Browser.Driver.ExecuteScript(
        "document.documentElement.style.fontSize = arguments[0]; for (const details of document.querySelectorAll('details')) details.open = true", fontSize);

    /// <summary>Text that is wider or higher than its box where that does not scroll.</summary>
    private const string FindClipped =
        """
        const scrolls = element => element && (getComputedStyle(element).overflowX === 'auto' || scrolls(element.parentElement));
        return [...document.querySelectorAll('body *')].filter(element => element.checkVisibility() && !element.closest('svg') && !element.closest('.skip') && !scrolls(element)
            && [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
            && (() => {
                const range = document.createRange();
                range.selectNodeContents(element);
                const text = range.getBoundingClientRect();
                return text.right > document.documentElement.clientWidth + 1 || text.left < -1;
            })()).map(element => element.outerHTML.slice(0, 200))
        """;

    /// <summary>Lines of text, of two elements, that cover each other.</summary>
    private const string FindOverlaps =
        """
        const lines = [];
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node; (node = walker.nextNode());) {
            const element = node.parentElement;
            if (!node.textContent.trim() || !element.checkVisibility() || element.closest('svg, .skip')) continue;
            const range = document.createRange();
            range.selectNodeContents(node);
            for (const box of range.getClientRects()) if (box.width > 1) lines.push({ box, text: node.textContent.slice(0, 40) });
        }
        lines.sort((a, b) => a.box.top - b.box.top);
        const found = [];
        for (let i = 0; i < lines.length; i++) {
            for (let j = i + 1; j < lines.length && lines[j].box.top < lines[i].box.bottom; j++) {
                const [a, b] = [lines[i].box, lines[j].box];
                const width = Math.min(a.right, b.right) - Math.max(a.left, b.left), height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                if (width > 2 && height > Math.min(a.height, b.height) / 3) found.push(lines[i].text + ' / ' + lines[j].text);
            }
        }
        return found;
        """;

    /// <summary>Text with less contrast than WCAG 2 asks for at level AA, by its formula.</summary>
    private const string FindPoorContrast =
        """
        const parse = color => color.match(/[\d.]+/g).map(Number);
        const luminance = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const background = element => {
            for (let e = element; e; e = e.parentElement) {
                const color = parse(getComputedStyle(e).backgroundColor);
                if (color.length === 3 || color[3] === 1) return color;
            }
            return [255, 255, 255];
        };
        const contrast = (a, b) => { const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y); return (high + 0.05) / (low + 0.05); };
        const found = [...document.querySelectorAll('body *')].filter(element => element.checkVisibility() && !element.closest('svg')
            && [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
            && contrast(parse(getComputedStyle(element).color), background(element)) < 4.5).map(element => element.outerHTML.slice(0, 200));

        // Charts need 3 to 1.
        return found.concat([...document.querySelectorAll('.fill, .unknown, .violin')].filter(shape => shape.checkVisibility()
            && contrast(parse(getComputedStyle(shape).fill), background(shape.closest('figure, td'))) < 3).map(shape => shape.outerHTML.slice(0, 200)));
        """;
}
