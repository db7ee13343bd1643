using System.Security.Cryptography;

namespace Fairseq2Llama.Manifests;

/// <summary>SHA-256 in lowercase hexadecimal digits, as sha256sum prints it.</summary>
internal static class HexDigest
{
    /// <summary>Stands for one that is not known yet.</summary>
    public static string Zero { get; } = new('0', 2 * SHA256.HashSizeInBytes);

    public static bool IsOne(string text) => text.Length == Zero.Length && text.All(char.IsAsciiHexDigitLower);

    public static string Of(ReadOnlySpan<byte> content) => From(SHA256.HashData(content));

    /// <summary>That of everything that was appended.</summary>
    public static string Finish(this IncrementalHash hash) => From(hash.GetHashAndReset());

    private static string From(ReadOnlySpan<byte> digest) => Convert.ToHexString(digest).ToLowerInvariant();
}
