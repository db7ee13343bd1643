using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Fairseq2Llama.Signing;

/// <summary>Trusts certificates for code signing that lead to one of a few roots.</summary>
internal sealed class CertificateVerifier(ImmutableArray<byte[]> roots, DateTimeOffset time) : SignatureVerifier
{
    protected override Signer VerifySigner(SigstoreBundle bundle)
    {
        if (bundle.Material.Certificates.IsEmpty)
        {
            throw Untrusted(bundle, "was signed with a key that has no certificate. Verify it with the public key of whoever should have signed.");
        }

        using var certificates = new LoadedCertificates();
        var chain = Load(bundle, certificates);
        var key = EcPublicKey.Of(chain[0]) ?? throw Untrusted(
            bundle, $"was signed with the certificate {CertificateUse.NameOf(chain[0])}, whose key is not on the elliptic curve {SigningCurve.Names}.");

        if (!key.Verify(bundle.Envelope.SignedBytes, bundle.Envelope.Signature))
        {
            throw Invalid(bundle, "it does not fit its certificate. It or what was signed has been changed.");
        }

        if ((CertificateUse.FindProblem(chain[0]) ?? FindChainProblem(chain, certificates)) is { } problem)
        {
            throw Untrusted(bundle, $"was signed with the certificate {CertificateUse.NameOf(chain[0])}, which {problem}.");
        }

        return new Signer(key.Fingerprint, chain[0].Subject, chain[0].Issuer);
    }

    private static X509Certificate2[] Load(SigstoreBundle bundle, LoadedCertificates certificates)
    {
        try
        {
            return [.. bundle.Material.Certificates.Select(der => certificates.Add(CertificateFile.Load(der)))];
        }
        catch (CryptographicException)
        {
            throw Invalid(bundle, "a certificate in it is damaged.");
        }
    }

    /// <returns>The rest of a sentence that begins with the first certificate; null if the chain is fine.</returns>
    private string? FindChainProblem(X509Certificate2[] certificates, LoadedCertificates loaded)
    {
        using var chain = new X509Chain();

        // Nothing may be asked of a network: whoever made the bundle would choose the address.
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.VerificationTime = time.LocalDateTime;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(CertificateUse.CodeSigning));
        chain.ChainPolicy.CustomTrustStore.AddRange(Array.ConvertAll([.. roots], root => loaded.Add(CertificateFile.Load(root))));
        chain.ChainPolicy.ExtraStore.AddRange(certificates[1..]);

        var isTrusted = chain.Build(certificates[0]);
        var elements = chain.ChainElements.Select(element => loaded.Add(element.Certificate)).ToArray();

        return isTrusted ? null : elements.Select(FindProblem).FirstOrDefault(problem => problem is not null) ?? Explain(chain.ChainStatus);

        string? FindProblem(X509Certificate2 certificate) => CertificateUse.FindProblem(certificate, time) is { } problem
            ? certificate.Equals(certificates[0]) ? problem : $"leads to the certificate {CertificateUse.NameOf(certificate)}, which {problem}"
            : null;
    }

    private static string Explain(X509ChainStatus[] problems)
    {
        var flags = problems.Aggregate(X509ChainStatusFlags.NoError, (all, problem) => all | problem.Status);

        return flags switch
        {
            _ when (flags & X509ChainStatusFlags.NotSignatureValid) != 0 => "is forged: it, or one that it leads to, is not signed by its issuer",
            _ when (flags & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0 => "does not lead to one of the trusted roots",
            _ when (flags & X509ChainStatusFlags.NotValidForUsage) != 0 => "leads to a certificate authority that may not issue certificates for code signing",
            _ when (flags & X509ChainStatusFlags.InvalidBasicConstraints) != 0 => "was issued with a certificate that may not issue others",
            _ => $"can't be trusted ({flags})",
        };
    }

    /// <summary>Each holds resources of the operating system.</summary>
    private sealed class LoadedCertificates : IDisposable
    {
        private readonly List<X509Certificate2> _all = [];

        public X509Certificate2 Add(X509Certificate2 certificate)
        {
            _all.Add(certificate);
            return certificate;
        }

        public void Dispose() => _all.ForEach(certificate => certificate.Dispose());
    }
}
