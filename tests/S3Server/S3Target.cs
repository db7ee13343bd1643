using System.Text;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>What a request is about, by its path and query exactly as they were sent: servers like to tidy up slashes, dots and escapes.</summary>
internal sealed class S3Target
{
    private const string PlainPrefix = "plain/";

    private readonly string _path;

    public S3Target(string raw)
    {
        Raw = raw;
        var parts = raw.Split('?', 2);
        _path = Uri.UnescapeDataString(parts[0][1..]);
        Query = (parts.Length == 1 ? "" : parts[1]).Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2))
            .ToDictionary(pair => Uri.UnescapeDataString(pair[0]), pair => pair.Length == 1 ? "" : Uri.UnescapeDataString(pair[1]), StringComparer.Ordinal);
        IsPlain = _path.StartsWith(PlainPrefix, StringComparison.Ordinal);
        (Bucket, Key) = Split(IsPlain ? _path[PlainPrefix.Length..] : _path);
    }

    public string Raw { get; }

    /// <summary>Whether it is for the part of the server that asks for no signature.</summary>
    public bool IsPlain { get; }

    public string Bucket { get; }

    public string Key { get; }

    public IReadOnlyDictionary<string, string> Query { get; }

    public string CanonicalPath => "/" + string.Join('/', _path.Split('/').Select(Encode));

    public string CanonicalQuery =>
        string.Join('&', Query.OrderBy(pair => Encode(pair.Key), StringComparer.Ordinal).Select(pair => $"{Encode(pair.Key)}={Encode(pair.Value)}"));

    /// <summary>Splits a bucket from a key.</summary>
    public static (string Bucket, string Key) Split(string path) => path.Split('/', 2) is [var bucket, var key] ? (bucket, key) : (path, "");

    private static string Encode(string text)
    {
        var encoded = new StringBuilder();

        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            var character = (char)value;
            encoded.Append(char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '~' ? character.ToString() : $"%{value:X2}");
        }

        return encoded.ToString();
    }
}
