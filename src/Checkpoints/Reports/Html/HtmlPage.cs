using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>A document of its own: no script, and a policy that lets a browser load nothing.</summary>
internal static class HtmlPage
{
    private const string Policy = "default-src 'none'; style-src 'unsafe-inline'";

    private static readonly XmlWriterSettings Settings = new()
    {
        OmitXmlDeclaration = true,
        ConformanceLevel = ConformanceLevel.Fragment,
        NewLineHandling = NewLineHandling.None,
    };

    private static readonly Lazy<string> StyleSheet = new(() =>
    {
        using var stream = typeof(HtmlPage).Assembly.GetManifestResourceStream("report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    });

    /// <param name="title">What a browser calls it.</param>
    /// <param name="body">What is in its body.</param>
    public static string Write(string title, params ReadOnlySpan<object?> body)
    {
        var page = Tag.Of(
            "html",
            Tag.Attribute("lang", "en"),
            Tag.Of(
                "head",
                Tag.Of("meta", Tag.Attribute("charset", "utf-8")),
                Tag.Of("meta", Tag.Attribute("http-equiv", "Content-Security-Policy"), Tag.Attribute("content", Policy)),
                Tag.Of("meta", Tag.Attribute("name", "viewport"), Tag.Attribute("content", "width=device-width, initial-scale=1")),
                Tag.Of("meta", Tag.Attribute("name", "color-scheme"), Tag.Attribute("content", "light dark")),
                Tag.Of("title", title),
                new XElement("style", new RawText(StyleSheet.Value))),
            Tag.Of("body", body));

        var text = new StringBuilder("<!DOCTYPE html>\n");

        using (var writer = XmlWriter.Create(text, Settings))
        {
            page.WriteTo(writer);
        }

        return text.Append('\n').ToString();
    }
}
