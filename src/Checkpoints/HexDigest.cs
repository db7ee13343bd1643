using System.Security.Cryptography;

namespace Fairseq2Llama;

/// <summary>Hashes in lowercase hexadecimal digits, as sha256sum and md5sum print them.</summary>
internal static class HexDigest
{
    /// <summary>Stands for a SHA-256 that is not known yet.</summary>
    public static string Zero { get; } = new('0', 2 * SHA256.HashSizeInBytes);

    /// <summary>Whether a text is a SHA-256.</summary>
    public static bool IsOne(string text) => text.Length == Zero.Length && text.All(char.IsAsciiHexDigitLower);

    /// <summary>The SHA-256 of some bytes.</summary>
    public static string Of(ReadOnlySpan<byte> content) => From(SHA256.HashData(content));

    /// <summary>That of everything that was appended.</summary>
    public static string Finish(this IncrementalHash hash) => From(hash.GetHashAndReset());

    /// <summary>Any hash.</summary>
    public static string From(ReadOnlySpan<byte> digest) => Convert.ToHexString(digest).ToLowerInvariant();
}
