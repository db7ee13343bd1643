using System.Collections.Immutable;
using System.Security;
using System.Security.Cryptography;

namespace Fairseq2Llama.Signing;

/// <summary>A private key to sign with, alone or with the certificate that says whose it is.</summary>
internal sealed class SigningKey : IDisposable
{
    private readonly ECDsa _key;

    private SigningKey(ECDsa key, ImmutableArray<byte[]> certificates)
    {
        _key = key;
        Certificates = certificates;
        PublicKey = EcPublicKey.Of(key.ExportSubjectPublicKeyInfo())!;
    }

    public EcPublicKey PublicKey { get; }

    /// <summary>The certificate of the key in DER, then those that lead to its root; empty for a key without.</summary>
    public ImmutableArray<byte[]> Certificates { get; }

    /// <summary>Reads a key that is known to verifiers by its public key.</summary>
    /// <param name="file">The key in PEM.</param>
    /// <param name="password">Opens an encrypted key.</param>
    /// <exception cref="CheckpointException">The file holds no key that can sign, or the password does not open it.</exception>
    public static SigningKey Read(PemFile file, SecureString? password = null) => new(PrivateKeyFile.Read(file, password), []);

    /// <summary>Reads a key that is known to verifiers by who issued its certificate.</summary>
    /// <param name="file">The key in PEM.</param>
    /// <param name="password">Opens an encrypted key.</param>
    /// <param name="certificates">Files of certificates in PEM. The first certificate is that of the key, the others lead from it to its root.</param>
    /// <param name="time">When it signs.</param>
    /// <exception cref="CheckpointException">The key or its certificate can't sign, or they do not belong together.</exception>
    public static SigningKey Read(PemFile file, SecureString? password, IReadOnlyList<PemFile> certificates, DateTimeOffset time)
    {
        ImmutableArray<byte[]> chain = [.. certificates.SelectMany(CertificateFile.Read)];
        var key = new SigningKey(PrivateKeyFile.Read(file, password), chain);

        try
        {
            key.CheckCertificate(certificates[0], file, time);
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>A signature of a text, in the encoding of X9.62 (DER).</summary>
    public byte[] Sign(ReadOnlySpan<byte> data) => _key.SignData(data, PublicKey.Curve.Hash, DSASignatureFormat.Rfc3279DerSequence);

    public void Dispose() => _key.Dispose();

    private void CheckCertificate(PemFile file, PemFile keyFile, DateTimeOffset time)
    {
        if (Certificates.Length > VerificationMaterial.MaxCertificates)
        {
            throw file.Unusable($"and the files after it hold {Certificates.Length} certificates, but a signature has room for {VerificationMaterial.MaxCertificates}.");
        }

        using var certificate = CertificateFile.Load(file, Certificates[0]);

        if (EcPublicKey.Of(certificate)?.Equals(PublicKey) != true)
        {
            throw file.Unusable(
                $"does not begin with the certificate of the key in '{keyFile.Name}'. Put the certificate of the key first, then those that lead from it to the root.");
        }

        if ((CertificateUse.FindProblem(certificate) ?? CertificateUse.FindProblem(certificate, time)) is { } problem)
        {
            throw file.Unusable($"can't be used to sign: the certificate {CertificateUse.NameOf(certificate)} {problem}. Verifiers would refuse the signature.");
        }
    }
}
