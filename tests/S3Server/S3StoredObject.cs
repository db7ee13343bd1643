using System.Security.Cryptography;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>An object of the server.</summary>
/// <param name="Bytes">Its content.</param>
/// <param name="Tag">Its ETag, with quotes.</param>
/// <param name="Metadata">Its metadata, by names without their prefix.</param>
/// <param name="Written">When it was written.</param>
internal sealed record S3StoredObject(byte[] Bytes, string Tag, IReadOnlyDictionary<string, string> Metadata, DateTimeOffset Written)
{
    /// <summary>The ETag of an object or a part, as S3 makes it.</summary>
    public static string TagOf(ReadOnlySpan<byte> bytes) => $"\"{Convert.ToHexStringLower(Md5Of(bytes))}\"";

    /// <summary>The ETag of an object of several parts, as S3 makes it.</summary>
    public static string TagOf(IReadOnlyCollection<S3Part> parts) =>
        $"\"{Convert.ToHexStringLower(Md5Of([.. parts.SelectMany(part => Convert.FromHexString(part.Tag.Trim('"')))]))}-{parts.Count}\"";

#pragma warning disable CA5351 // It is the protocol's, and protects nothing.
    private static byte[] Md5Of(ReadOnlySpan<byte> bytes) => MD5.HashData(bytes);
#pragma warning restore CA5351
}
