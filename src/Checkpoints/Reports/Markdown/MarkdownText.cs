using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace Fairseq2Llama.Reports.Markdown;

/// <summary>
/// Text that stays text in Markdown: whatever could mean something there is written as a character reference, which never does. It stays in
/// its line and in its cell of a table, and is never a link.
/// </summary>
internal static partial class MarkdownText
{
    private static readonly HtmlEncoder Encoder = CreateEncoder();

    public static string Of(string text) => WebAddress().Replace(Encoder.Encode(ReportText.Of(text)), "www&#46;");

    /// <summary>A name or path. Ordinary ones are code spans; in those, references would not be read, so others are code in HTML.</summary>
    public static string Code(string text) => Ordinary().IsMatch(text) ? $"`{text}`" : $"<code>{Of(text)}</code>";

    private static HtmlEncoder CreateEncoder()
    {
        var settings = new TextEncoderSettings(UnicodeRanges.All);
        settings.ForbidCharacters('\\', '`', '*', '_', '{', '}', '[', ']', '#', '|', '~', '$', '!', '@', ':');
        return HtmlEncoder.Create(settings);
    }

    [GeneratedRegex(@"^[A-Za-z0-9._/ -]*[A-Za-z0-9._/-]\z")]
    private static partial Regex Ordinary();

    [GeneratedRegex(@"www\.", RegexOptions.IgnoreCase)]
    private static partial Regex WebAddress();
}
