namespace Fairseq2Llama.Signing;

/// <summary>Base64 that can be read in one way only (RFC 4648): padded, without white space, and with no bits left over.</summary>
internal static class StrictBase64
{
    /// <returns>Null if the text is anything else.</returns>
    public static byte[]? Decode(string text)
    {
        // DSSE and the JSON of protobuf also allow the alphabet for URLs.
        var standard = text.AsSpan().ContainsAny('-', '_') ? text.Replace('-', '+').Replace('_', '/') : text;
        var bytes = new byte[text.Length / 4 * 3];

        return Convert.TryFromBase64String(standard, bytes, out var length) && Convert.ToBase64String(bytes, 0, length) == standard
            ? bytes[..length]
            : null;
    }
}
