using System.Diagnostics;
using Fairseq2Llama.Stores.Http;

namespace Fairseq2Llama.Tests.Stores.Http;

/// <summary>The pages with which web servers show a folder, and what somebody else might put there.</summary>
public sealed class FolderPageTests
{
    private const string Nginx =
        """
        <html>
        <head><title>Index of /models/tiny/</title></head>
        <body>
        <h1>Index of /models/tiny/</h1><hr><pre><a href="../">../</a>
        <a href="step%205/">step 5/</a>                                            29-Nov-2025 10:00                   -
        <a href="a%26b%20%23%25.pt">a&amp;b #%.pt</a>                                      29-Nov-2025 10:00               35192
        <a href="consolidated.00.pth">consolidated.00.pth</a>                                29-Nov-2025 10:00               35192
        </pre><hr></body>
        </html>
        """;

    private const string Apache =
        """
        <!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">
        <html>
         <head>
          <title>Index of /models/tiny</title>
         </head>
         <body>
        <h1>Index of /models/tiny</h1>
          <table>
           <tr><th valign="top"><img src="/icons/blank.gif" alt="[ICO]"></th><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th><th><a href="?C=S;O=A">Size</a></th><th><a href="?C=D;O=A">Description</a></th></tr>
           <tr><th colspan="5"><hr></th></tr>
        <tr><td valign="top"><img src="/icons/back.gif" alt="[PARENTDIR]"></td><td><a href="/models/">Parent Directory</a></td><td>&nbsp;</td><td align="right">  - </td><td>&nbsp;</td></tr>
        <tr><td valign="top"><img src="/icons/folder.gif" alt="[DIR]"></td><td><a href="step%205/">step 5/</a></td><td align="right">2025-11-29 10:00  </td><td align="right">  - </td><td>&nbsp;</td></tr>
        <tr><td valign="top"><img src="/icons/unknown.gif" alt="[   ]"></td><td><a href="a&amp;b%20%23%25.pt">a&amp;b #%.pt</a></td><td align="right">2025-11-29 10:00  </td><td align="right"> 34K</td><td>&nbsp;</td></tr>
        <tr><td valign="top"><img src="/icons/unknown.gif" alt="[   ]"></td><td><a href="consolidated.00.pth">consolidated.00.pth</a></td><td align="right">2025-11-29 10:00  </td><td align="right"> 34K</td><td>&nbsp;</td></tr>
           <tr><th colspan="5"><hr></th></tr>
        </table>
        <address>Apache/2.4.62 (Debian) Server at localhost Port 80</address>
        </body></html>
        """;

    private const string Python =
        """
        <!DOCTYPE HTML>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <title>Directory listing for /models/tiny/</title>
        </head>
        <body>
        <h1>Directory listing for /models/tiny/</h1>
        <hr>
        <ul>
        <li><a href="a%26b%20%23%25.pt">a&amp;b #%.pt</a></li>
        <li><a href="consolidated.00.pth">consolidated.00.pth</a></li>
        <li><a href="step%205/">step 5/</a></li>
        </ul>
        <hr>
        </body>
        </html>
        """;

    private const string Caddy =
        """
        <!DOCTYPE html>
        <html>
          <head><title>tiny/</title><link rel="canonical" href="/models/tiny/"  /></head>
          <body>
            <header><div class="wrapper"><div class="breadcrumbs">Folder Path</div><h1><a href="../../">/</a><a href="../">models</a>/<a href="">tiny</a>/</h1></div></header>
            <main><table aria-describedby="summary"><thead><tr><th><a href="?sort=namedirfirst&order=desc" class="icon"></a> <a href="?sort=name&order=asc">Name</a></th></tr></thead>
            <tbody>
              <tr class="clickable"><td></td><td><a href=".."><span class="goup">Up</span></a></td></tr>
              <tr class="file"><td></td><td><a href="./step%205/"><svg width="1.5em"></svg><span class="name">step 5</span></a></td><td class="size">&mdash;</td></tr>
              <tr class="file"><td></td><td><a href="./a&amp;b%20%23%25.pt"><span class="name">a&amp;b #%.pt</span></a></td><td class="size">34 KiB</td></tr>
              <tr class="file"><td></td><td><a href="./consolidated.00.pth"><span class="name">consolidated.00.pth</span></a></td><td class="size">34 KiB</td></tr>
            </tbody></table></main>
          </body>
        </html>
        """;

    private static readonly Uri Address = new("http://host:8080/models/tiny/");

    public static TheoryData<string> Pages => [Nginx, Apache, Python, Caddy];

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_page_shows_what_is_in_the_folder(string html)
    {
        var page = FolderPage.Read(html, Address, "tiny/");

        Assert.Equal(["tiny/a&b #%.pt", "tiny/consolidated.00.pth"], page.Objects.Select(found => found.Key).Order(StringComparer.Ordinal));
        Assert.Equal(["tiny/step 5/"], page.Prefixes);
    }

    [Theory]
    [InlineData("../")]
    [InlineData("../other.pt")]
    [InlineData("..")]
    [InlineData("%2e%2e/other.pt")]
    [InlineData("..%2fother.pt")]
    [InlineData("..%5cother.pt")]
    [InlineData("..\\other.pt")]
    [InlineData("./../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("/models/tinyother.pt")]
    [InlineData("folder/model.pt")]
    [InlineData("folder%2Fmodel.pt")]
    [InlineData("folder%5Cmodel.pt")]
    [InlineData("http://other:8080/models/tiny/model.pt")]
    [InlineData("http://host/models/tiny/model.pt")]
    [InlineData("http://host:8080@other/models/tiny/model.pt")]
    [InlineData("//other/models/tiny/model.pt")]
    [InlineData("file:///models/tiny/model.pt")]
    [InlineData("javascript:alert(1)")]
    [InlineData("java&#115;cript:alert(1)")]
    [InlineData("data:text/html,model.pt")]
    [InlineData("mailto:model.pt@host")]
    [InlineData("model.pt?sig=stolen")]
    [InlineData("?C=N;O=D")]
    [InlineData("#top")]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("./")]
    [InlineData("http://[")]
    public void A_link_that_leads_elsewhere_is_none(string link)
    {
        var page = FolderPage.Read($"""<a href="{link}">x</a><a href="model.pt">model.pt</a>""", Address, "tiny/");

        Assert.Equal(["tiny/model.pt"], page.Objects.Select(found => found.Key));
        Assert.Empty(page.Prefixes);
    }

    [Fact]
    public void What_is_shown_twice_is_there_once()
    {
        var page = FolderPage.Read(
            """<A HREF='model.pt'>icon</A><a class="x" href = "model.pt#weights">model.pt</a><a href="http://host:8080/models/tiny/model.pt">m</a><a href="b/">b</a><a href="b/">b</a>""",
            Address,
            "");

        Assert.Equal(["model.pt"], page.Objects.Select(found => found.Key));
        Assert.Equal(["b/"], page.Prefixes);
    }

    /// <summary>Each would take minutes if it were gone through anew from everything that looks like a link.</summary>
    [Theory]
    [InlineData("<a ")]
    [InlineData("<a href=\"")]
    [InlineData("<a href='x\" ")]
    [InlineData("<a href ")]
    [InlineData("<a href=\"x\">")]
    public void A_hostile_page_takes_no_longer_than_another(string piece)
    {
        var html = string.Concat(Enumerable.Repeat(piece, (4 << 20) / piece.Length));
        var watch = Stopwatch.StartNew();

        Assert.InRange(FolderPage.Read(html, Address, "").Objects.Count, 0, 1);

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }
}
