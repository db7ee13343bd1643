using System.Collections.Immutable;

namespace Fairseq2Llama.Tokenizers;

/// <summary>
/// The characters that byte-level tokenizers write for bytes, so that a token of any bytes is a text: printable ones of Latin 1 for themselves, and for
/// all others those from U+0100 on. GPT-2 had it first (bytes_to_unicode in transformers).
/// </summary>
internal static class ByteAlphabet
{
    private static readonly ImmutableArray<char> Characters = MakeCharacters();

    /// <summary>The text that stands for some bytes.</summary>
    public static string Spell(ReadOnlySpan<byte> bytes)
    {
        Span<char> text = stackalloc char[bytes.Length];

        for (var i = 0; i < bytes.Length; i++)
        {
            text[i] = Characters[bytes[i]];
        }

        return new string(text);
    }

    private static ImmutableArray<char> MakeCharacters()
    {
        var other = '\u0100';
        return [.. Enumerable.Range(0, 256).Select(value => (char)value is (>= '!' and <= '~') or (>= '¡' and <= '¬') or (>= '®' and <= 'ÿ') ? (char)value : other++)];
    }
}
