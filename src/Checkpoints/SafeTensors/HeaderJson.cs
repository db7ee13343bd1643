using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Fairseq2Llama.SafeTensors;

/// <summary>
/// Reads a header value by value, and refuses what should be another. A document of it would hide keys that stand there twice, and take
/// many times its length.
/// </summary>
internal ref struct HeaderJson
{
    /// <summary>A header has three levels; the rest is for keys that are not read.</summary>
    private const int MaxDepth = 32;

    private const int MaxQuoted = 64;

    private readonly string _file;
    private Utf8JsonReader _json;
    private string? _key, _innerKey;

    /// <exception cref="CheckpointException">It is not UTF-8.</exception>
    public HeaderJson(string file, ReadOnlySpan<byte> text)
    {
        _file = file;
        _json = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaxDepth });

        // The reader looks into a text only when asked for it.
        if (!Utf8.IsValid(text))
        {
            throw Corrupt("its header is not UTF-8.");
        }
    }

    public void BeginObject() => Begin(JsonTokenType.StartObject, "an object");

    /// <summary>Goes on to the next key of an object.</summary>
    /// <returns>Null at its end.</returns>
    public string? NextKey()
    {
        Next();

        if (_json.TokenType == JsonTokenType.EndObject)
        {
            return null;
        }

        var key = Decode();
        (_key, _innerKey) = _json.CurrentDepth == 1 ? (key, null) : (_key, key);
        return key;
    }

    public string Text()
    {
        Next();
        return _json.TokenType == JsonTokenType.String ? Decode() : throw Wrong("a text");
    }

    /// <summary>A list of whole numbers, none below 0.</summary>
    public IReadOnlyList<long> Numbers()
    {
        Begin(JsonTokenType.StartArray, "a list of whole numbers");

        var numbers = new List<long>();

        for (Next(); _json.TokenType != JsonTokenType.EndArray; Next())
        {
            // A minus is wrong even before a 0, for the reference implementation.
            numbers.Add(_json.TokenType == JsonTokenType.Number && _json.ValueSpan[0] != '-' && _json.TryGetInt64(out var number)
                ? number
                : throw Wrong($"a whole number from 0 to {long.MaxValue}"));
        }

        return numbers;
    }

    /// <summary>Passes over a value of any kind.</summary>
    public void Skip()
    {
        try
        {
            _json.Skip();
        }
        catch (JsonException e)
        {
            throw Malformed(e);
        }
    }

    /// <summary>Makes sure that nothing but white space follows.</summary>
    public void End() => Next();

    public readonly CheckpointException Twice() => Corrupt($"its header has {Place} twice.");

    private readonly string Place => _innerKey is null ? $"'{_key}'" : $"'{_innerKey}' of '{_key}'";

    private void Begin(JsonTokenType token, string what)
    {
        Next();

        if (_json.TokenType != token)
        {
            throw Wrong(what);
        }
    }

    private void Next()
    {
        try
        {
            _json.Read();
        }
        catch (JsonException e)
        {
            throw Malformed(e);
        }
    }

    private readonly string Decode()
    {
        try
        {
            return _json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Corrupt("its header has a text with an unpaired surrogate, such as \\ud800.");
        }
    }

    private readonly CheckpointException Wrong(string expected) =>
        Corrupt($"its header has {Found()} for {Place}; expected {expected}.");

    private readonly string Found() => _json.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.String => $"the text \"{Quote()}\"",
        _ => Quote(),
    };

    private readonly string Quote() => _json.ValueSpan.Length <= MaxQuoted
        ? Encoding.UTF8.GetString(_json.ValueSpan)
        : $"{Encoding.UTF8.GetString(_json.ValueSpan[..MaxQuoted])}…";

    private readonly CheckpointException Malformed(JsonException e) => Corrupt(
        $"its header is not valid JSON, or is nested deeper than {MaxDepth}, at byte {e.BytePositionInLine} of line {e.LineNumber + 1}.");

    private readonly CheckpointException Corrupt(string what) => CheckpointException.Corrupt(_file, what);
}
