using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Fairseq2Llama.Signing;

/// <summary>A public key on one of the curves.</summary>
internal sealed class EcPublicKey
{
    private readonly byte[] _info;

    private EcPublicKey(byte[] info, SigningCurve curve)
    {
        _info = info;
        Curve = curve;
        Fingerprint = HexDigest.Of(Encoding.ASCII.GetBytes($"{PemEncoding.WriteString("PUBLIC KEY", info)}\n"));
    }

    public SigningCurve Curve { get; }

    /// <summary>The SHA-256 of the key's PEM file as OpenSSL writes it. model_signing writes this as the hint of a bundle.</summary>
    public string Fingerprint { get; }

    /// <returns>Null if it is no key on one of the curves.</returns>
    public static EcPublicKey? Of(ReadOnlyMemory<byte> subjectPublicKeyInfo)
    {
        if (SigningCurve.Of(subjectPublicKeyInfo) is not { } curve)
        {
            return null;
        }

        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo.Span, out _);

            // Something can follow the key; the fingerprint must not depend on it.
            return new EcPublicKey(key.ExportSubjectPublicKeyInfo(), curve);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Reads a public key in PEM, or takes that of the first certificate in the file.</summary>
    /// <exception cref="CheckpointException">The file holds neither, or a key of another kind.</exception>
    public static EcPublicKey Read(PemFile file)
    {
        foreach (var (label, data) in file.Blocks)
        {
            switch (label)
            {
                case "PUBLIC KEY":
                    return Of(data) ?? throw OtherKind(file);
                case CertificateFile.Label:
                    using (var certificate = CertificateFile.Load(file, data))
                    {
                        return Of(certificate) ?? throw OtherKind(file);
                    }

                case { } when label.EndsWith("PRIVATE KEY", StringComparison.Ordinal):
                    throw file.Unusable("holds a private key. A signature is verified with the public key; 'openssl pkey -pubout -in FILE' writes it.");
            }
        }

        throw file.Unusable("holds no public key in PEM. Expected a block that begins with -----BEGIN PUBLIC KEY----- or -----BEGIN CERTIFICATE-----.");
    }

    /// <returns>Null if the key of the certificate is no key on one of the curves.</returns>
    public static EcPublicKey? Of(X509Certificate2 certificate) => Of(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    /// <summary>Whether a signature, in the encoding of X9.62 (DER), was made with the private key to it.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(_info, out _);
        return key.VerifyData(data, signature, Curve.Hash, DSASignatureFormat.Rfc3279DerSequence);
    }

    /// <summary>Whether it is the same key.</summary>
    public bool Equals(EcPublicKey other) => _info.AsSpan().SequenceEqual(other._info);

    private static CheckpointException OtherKind(PemFile file) =>
        file.Unusable($"holds a public key that is not on the elliptic curve {SigningCurve.Names}. Models are signed only with such keys.");
}
