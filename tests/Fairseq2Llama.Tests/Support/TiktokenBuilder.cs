using System.Text;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Makes a tokenizer.model in tiktoken's format: the 256 bytes in the order that all such files have, then some words.</summary>
internal static class TiktokenBuilder
{
    /// <summary>The tokens of a file with some words, by rank.</summary>
    public static byte[][] Tokens(params IEnumerable<string> words) =>
    [
        .. Enumerable.Range(0, 256).OrderBy(value => value is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255) ? 0 : 1).Select(value => new[] { (byte)value }),
        .. words.Select(Encoding.UTF8.GetBytes),
    ];

    public static byte[] Build(params IEnumerable<string> words) => Build(Tokens(words));

    public static byte[] Build(IEnumerable<byte[]> tokens) =>
        Encoding.ASCII.GetBytes(string.Concat(tokens.Select((token, rank) => $"{Convert.ToBase64String(token)} {rank}\n")));
}
