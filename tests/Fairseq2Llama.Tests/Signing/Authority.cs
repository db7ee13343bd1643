using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Signing;

/// <summary>A certificate authority with a root and one that it issued, and what it issues.</summary>
internal sealed class Authority : IDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private const string CodeSigning = "1.3.6.1.5.5.7.3.3", ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _intermediate;
    private readonly DateTimeOffset _start;

    /// <param name="name">The name of its root.</param>
    /// <param name="start">The beginning of the year for which it issues certificates; <see cref="Start"/> if it is absent.</param>
    public Authority(string name = "Test Root", DateTimeOffset? start = null)
    {
        EllipticKeys.Require();
        _start = start ?? Start;
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        _root = RequestOf(name, rootKey, isAuthority: true).CreateSelfSigned(_start.AddYears(-1), _start.AddYears(20));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issued = RequestOf($"{name} Intermediate", key, isAuthority: true).Create(_root, _start.AddMonths(-6), _start.AddYears(10), [1]);
        _intermediate = issued.CopyWithPrivateKey(key);
    }

    public PemFile Root => new("root.pem", _root.ExportCertificatePem());

    public PemFile Intermediate => new("intermediate.pem", _intermediate.ExportCertificatePem());

    /// <summary>A key whose certificate is valid for a year, and the files of both.</summary>
    public (PemFile Key, PemFile Certificate) Issue(
        bool isForCode = true, bool isForServers = false, X509KeyUsageFlags? usage = X509KeyUsageFlags.DigitalSignature, ECCurve? curve = null)
    {
        using var key = ECDsa.Create(curve ?? ECCurve.NamedCurves.nistP256);
        var request = RequestOf("Model Signer", key, isAuthority: false, usage);
        var purposes = new OidCollection();

        foreach (var purpose in (string[])[.. isForCode ? [CodeSigning] : Array.Empty<string>(), .. isForServers ? [ServerAuthentication] : Array.Empty<string>()])
        {
            purposes.Add(new Oid(purpose));
        }

        if (purposes.Count > 0)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(purposes, critical: false));
        }

        using var certificate = request.Create(_intermediate, _start, _start.AddYears(1), [2]);
        return (new PemFile("signer.key", key.ExportPkcs8PrivateKeyPem()), new PemFile("signer.pem", certificate.ExportCertificatePem()));
    }

    public void Dispose()
    {
        _root.Dispose();
        _intermediate.Dispose();
    }

    private static CertificateRequest RequestOf(string name, ECDsa key, bool isAuthority, X509KeyUsageFlags? usage = X509KeyUsageFlags.KeyCertSign)
    {
        var request = new CertificateRequest($"CN={name}, O=Example", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));

        if (usage is { } flags)
        {
            request.CertificateExtensions.Add(new X509KeyUsageExtension(flags, critical: true));
        }

        return request;
    }
}
