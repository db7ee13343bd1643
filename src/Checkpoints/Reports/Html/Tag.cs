using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>
/// Elements of a page. They are a tree until they are written, so text can't become markup; and all text and every attribute goes through
/// here, so nothing gets in that a page may not have.
/// </summary>
internal static class Tag
{
    private static readonly HashSet<string> Void = ["meta"];

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

    public static XElement Code(string text) => Of("code", text);
}
