using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>
/// Elements of a page. They are a tree until they are written, so text can't become markup; and all text and every attribute goes through
/// here, so nothing gets in that a page may not have.
/// </summary>
internal static partial class Tag
{
    private static readonly HashSet<string> Void = ["meta", "wbr"];

    /// <param name="name">Its name.</param>
    /// <param name="content">Attributes, elements and text; null for none.</param>
    public static XElement Of(string name, params ReadOnlySpan<object?> content)
    {
        var element = new XElement(name);

        foreach (var item in content)
        {
            element.Add(item is string text ? ReportText.Of(text) : item);
        }

        // HTML knows no <td />.
        if (element.IsEmpty && !Void.Contains(name))
        {
            element.Add("");
        }

        return element;
    }

    public static XAttribute Attribute(string name, string value) => new(name, ReportText.Of(value));

    /// <summary>A drawing, which is ours, and longer than text may be.</summary>
    public static XAttribute Path(string data) => new("d", data);

    public static XAttribute Class(string value) => new("class", value);

    /// <summary>A name or path.</summary>
    public static XElement Code(string text) => Of("code", Breakable(text));

    /// <summary>Text with names in it, which are broken between their words where a line has no room for them.</summary>
    public static IEnumerable<object?> Breakable(string text) =>
        WordStart().Split(ReportText.Of(text)).SelectMany((word, index) => index == 0 ? new object?[] { word } : [Of("wbr"), word]);

    /// <summary>Numbers stay in one piece.</summary>
    [GeneratedRegex(@"(?<=[._/\\])(?=[A-Za-z])")]
    private static partial Regex WordStart();
}
