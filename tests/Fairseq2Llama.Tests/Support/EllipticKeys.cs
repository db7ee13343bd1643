using System.Security.Cryptography;

namespace Fairseq2Llama.Tests.Support;

/// <summary>For tests that make keys which sign models, or verify with them. .NET leaves this to Windows, and Wine does not do it.</summary>
internal static class EllipticKeys
{
    private static readonly Lazy<bool> AreThere = new(() =>
    {
        try
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return key.ExportSubjectPublicKeyInfo().Length > 0;
        }
        catch (CryptographicException) when (OperatingSystem.IsWindows())
        {
            return false;
        }
    });

    public static bool CanBeUsed => AreThere.Value;

    public static void Require() => Assert.SkipUnless(CanBeUsed, "needs keys on elliptic curves, which Wine can't export");

    /// <summary>For a test that runs PowerShell, if it names files of keys or certificates.</summary>
    public static void RequireFor(string code)
    {
        if (code.Contains(".pem", StringComparison.Ordinal) || code.Contains(".pub", StringComparison.Ordinal))
        {
            Require();
        }
    }
}
