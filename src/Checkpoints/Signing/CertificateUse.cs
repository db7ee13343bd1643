using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Fairseq2Llama.Signing;

/// <summary>Whether a certificate is one to sign with, whoever issued it.</summary>
internal static class CertificateUse
{
    /// <summary>The extended key usage of code signing (RFC 5280).</summary>
    public const string CodeSigning = "1.3.6.1.5.5.7.3.3";

    /// <summary>
    /// What keeps it from signing a model. model_signing takes every certificate whose key usage is to sign; but then the owner of any web server
    /// could sign models, as far as certificate authorities are concerned, so that code signing must be named.
    /// </summary>
    /// <returns>The rest of a sentence that begins with the certificate; null if it is fine.</returns>
    public static string? FindProblem(X509Certificate2 certificate)
    {
        try
        {
            var usages = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().SelectMany(usage => usage.EnhancedKeyUsages.Cast<Oid>());

            if (!usages.Any(usage => usage.Value == CodeSigning))
            {
                return "is not made for signing: its extended key usage lacks code signing";
            }

            var isForSignatures = certificate.Extensions.OfType<X509KeyUsageExtension>().All(usage => usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature));
            return isForSignatures ? null : "is not made for signing: its key usage lacks digital signature";
        }
        catch (CryptographicException)
        {
            return "has a damaged extension";
        }
    }

    /// <summary>When it is not valid.</summary>
    /// <inheritdoc cref="FindProblem(X509Certificate2)" path="/returns"/>
    public static string? FindProblem(X509Certificate2 certificate, DateTimeOffset time)
    {
        var (begin, end) = (new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter));
        return time < begin ? $"is not valid before {begin.UtcDateTime:u}" : time > end ? $"expired on {end.UtcDateTime:u}" : null;
    }

    /// <summary>What it says of its owner, for messages.</summary>
    public static string NameOf(X509Certificate2 certificate) => certificate.Subject.Length == 0 ? $"with the serial number {certificate.SerialNumber}" : $"'{certificate.Subject}'";
}
