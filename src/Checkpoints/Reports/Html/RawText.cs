using System.Xml;
using System.Xml.Linq;

namespace Fairseq2Llama.Reports.Html;

/// <summary>The content of a style element, which HTML reads as it is. Never for anything that comes from a checkpoint.</summary>
/// <param name="text">The text.</param>
internal sealed class RawText(string text) : XText(text)
{
    public override void WriteTo(XmlWriter writer) => writer.WriteRaw(Value);
}
