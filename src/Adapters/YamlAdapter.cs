using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Fairseq2Llama.Adapters;

/// <summary>
/// Reads YAML with YamlDotNet's parser, whose events describe the text and make no objects. What a settings file does not need is refused:
/// tags, which other programs make objects of; anchors, with which a small text can stand for a huge one.
/// </summary>
internal sealed class YamlAdapter
{
    private const int MaxDepth = 32;
    private const int MaxNodes = 100_000;

    private readonly Parser _parser;
    private int _nodes;

    private YamlAdapter(string text) => _parser = new Parser(new StringReader(text));

    public static object? Read(string text)
    {
        try
        {
            return new YamlAdapter(text).ReadDocument();
        }
        catch (YamlException e)
        {
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"line {e.Start.Line}: {e.Message}"), e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // YamlDotNet's scanner says the one of some broken flow mappings, the other of some broken tags.
            throw new FormatException("it is not YAML", e);
        }
    }

    private object? ReadDocument()
    {
        _parser.Consume<StreamStart>();

        if (_parser.Accept<StreamEnd>(out _))
        {
            return null;
        }

        _parser.Consume<DocumentStart>();
        var content = ReadNode(depth: 0);
        _parser.Consume<DocumentEnd>();

        return _parser.Accept<StreamEnd>(out var end) ? content : throw Refuse(_parser.Current!, "it has a second document");
    }

    private object? ReadNode(int depth)
    {
        if (_parser.Accept<AnchorAlias>(out var alias))
        {
            throw Refuse(alias, "it has aliases");
        }

        var node = _parser.Consume<NodeEvent>();

        if (!node.Anchor.IsEmpty)
        {
            throw Refuse(node, "it has anchors");
        }

        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific)
        {
            throw Refuse(node, $"it has the tag '{node.Tag.Value}'");
        }

        if (depth > MaxDepth || ++_nodes > MaxNodes)
        {
            throw Refuse(node, "it is nested too deeply or too long");
        }

        return node switch
        {
            Scalar { Style: ScalarStyle.Plain, Value: "" or "~" or "null" or "Null" or "NULL" } => null,
            Scalar scalar => scalar.Value,
            SequenceStart => ReadSequence(depth),
            MappingStart => ReadMapping(depth),
            _ => throw Refuse(node, "it has an unexpected element"),
        };
    }

    private List<object?> ReadSequence(int depth)
    {
        var items = new List<object?>();

        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(ReadNode(depth + 1));
        }

        return items;
    }

    private Dictionary<string, object?> ReadMapping(int depth)
    {
        var entries = new Dictionary<string, object?>(StringComparer.Ordinal);

        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var at = _parser.Current!;

            if (ReadNode(depth + 1) is not string key || !entries.TryAdd(key, ReadNode(depth + 1)))
            {
                throw Refuse(at, "it has a key twice, or a key that is not text");
            }
        }

        return entries;
    }

    private static FormatException Refuse(ParsingEvent at, string what) =>
        new(string.Create(CultureInfo.InvariantCulture, $"line {at.Start.Line}: {what}"));
}
