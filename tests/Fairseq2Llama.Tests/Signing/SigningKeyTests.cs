using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Signing;

/// <summary>Which keys and certificates can sign, and what is said of the others.</summary>
public sealed class SigningKeyTests
{
    private const string Ed25519 = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

    private const string OldEncryption = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n";

    private static readonly PbeParameters Encryption = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);

    [Fact]
    public void Has_a_fingerprint_that_depends_only_on_the_key()
    {
        EllipticKeys.Require();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var secret = TestKeys.Secure("secret");
        using var plain = SigningKey.Read(new PemFile("k", key.ExportPkcs8PrivateKeyPem()));
        using var sec1 = SigningKey.Read(new PemFile("k", $"a comment\n{key.ExportECPrivateKeyPem()}"));
        using var encrypted = SigningKey.Read(new PemFile("k", key.ExportEncryptedPkcs8PrivateKeyPem("secret", Encryption)), secret);

        Assert.Equal(plain.PublicKey.Fingerprint, sec1.PublicKey.Fingerprint);
        Assert.Equal(plain.PublicKey.Fingerprint, encrypted.PublicKey.Fingerprint);
        Assert.Equal(plain.PublicKey.Fingerprint, EcPublicKey.Read(new PemFile("k", key.ExportSubjectPublicKeyInfoPem())).Fingerprint);
        Assert.Equal("P-384", plain.PublicKey.Curve.Name);
    }

    [Fact]
    public void Is_refused_if_it_is_encrypted_and_the_password_is_missing_or_wrong()
    {
        EllipticKeys.Require();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var wrong = TestKeys.Secure("wrong");
        var file = new PemFile("my.key", key.ExportEncryptedPkcs8PrivateKeyPem("secret", Encryption));

        Refuse(() => SigningKey.Read(file), "'my.key'", "no password");
        Refuse(() => SigningKey.Read(file, wrong), "'my.key'", "the password does not open");
    }

    [Theory]
    [InlineData("", "no private key in PEM")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "can't be read")]
    [InlineData("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----", "can't be read")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", "ssh-keygen")]
    [InlineData("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----", "cosign's own encryption")]
    [InlineData("-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----", "DSA PRIVATE KEY")]
    [InlineData(Ed25519, "an Ed25519 key")]
    [InlineData(OldEncryption, "openssl pkcs8 -topk8")]
    public void Is_refused_if_it_is_something_else(string text, string expected) => Refuse(() => SigningKey.Read(new PemFile("my.key", text)), "'my.key'", expected);

    [Fact]
    public void Is_refused_if_it_is_of_another_kind_or_not_alone()
    {
        EllipticKeys.Require();
        using var rsa = RSA.Create(2048);
        using var other = ECDsa.Create(ECCurve.CreateFromFriendlyName("secp256k1"));
        var (key, publicKey) = TestKeys.Make();

        Refuse(() => SigningKey.Read(new PemFile("k", rsa.ExportPkcs8PrivateKeyPem())), "an RSA key");
        Refuse(() => SigningKey.Read(new PemFile("k", rsa.ExportRSAPrivateKeyPem())), "an RSA key");
        Refuse(() => SigningKey.Read(new PemFile("k", other.ExportPkcs8PrivateKeyPem())), "another curve", "P-256");
        Refuse(() => SigningKey.Read(publicKey), "only what is public");
        Refuse(() => SigningKey.Read(new PemFile("k", $"{key.Text}\n{TestKeys.Make().Private.Text}")), "2 private keys");
    }

    [Fact]
    public void Is_refused_if_the_public_key_is_none_that_signs_models()
    {
        EllipticKeys.Require();
        using var rsa = RSA.Create(2048);
        using var other = ECDsa.Create(ECCurve.CreateFromFriendlyName("secp256k1"));

        Refuse(() => EcPublicKey.Read(new PemFile("k", rsa.ExportSubjectPublicKeyInfoPem())), "not on the elliptic curve");
        Refuse(() => EcPublicKey.Read(new PemFile("k", other.ExportSubjectPublicKeyInfoPem())), "not on the elliptic curve");
        Refuse(() => EcPublicKey.Read(TestKeys.Make().Private), "a private key", "openssl pkey -pubout");
        Refuse(() => EcPublicKey.Read(new PemFile("k", "ssh-ed25519 AAAA")), "no public key in PEM");
        Refuse(() => SignatureVerifier.WithTrustedRoots([TestKeys.Make().Public], Authority.Start), "no certificate in PEM");
        Refuse(() => SignatureVerifier.WithTrustedRoots([new PemFile("k", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")], Authority.Start), "damaged");
    }

    [Fact]
    public void Is_refused_if_its_certificate_can_t_sign()
    {
        using var authority = new Authority();
        var (key, certificate) = authority.Issue();
        var (otherKey, _) = authority.Issue();

        Refuse(() => Read(otherKey, certificate), "'signer.pem'", "'signer.key'", "Put the certificate of the key first");
        Refuse(() => Read(key, authority.Intermediate, certificate), "Put the certificate of the key first");
        Refuse(() => SigningKey.Read(key, null, [certificate], Authority.Start.AddYears(2)), "CN=Model Signer", "expired on 2027-01-01 00:00:00Z");
        Refuse(() => SigningKey.Read(key, null, [certificate], Authority.Start.AddDays(-1)), "not valid before 2026-01-01 00:00:00Z");
        Refuse(() => Read(authority.Issue(isForCode: false)), "lacks code signing");
        Refuse(() => Read(authority.Issue(isForCode: false, isForServers: true)), "lacks code signing");
        Refuse(() => Read(authority.Issue(usage: X509KeyUsageFlags.KeyAgreement)), "lacks digital signature");
        Refuse(() => SigningKey.Read(key, null, [certificate, .. Enumerable.Repeat(authority.Intermediate, 16)], Authority.Start), "17 certificates");

        using var fine = Read(key, certificate, authority.Intermediate);
        Assert.Equal(2, fine.Certificates.Length);
        Read(authority.Issue(usage: null)).Dispose();
    }

    private static SigningKey Read((PemFile Key, PemFile Certificate) issued) => Read(issued.Key, issued.Certificate);

    private static SigningKey Read(PemFile key, params PemFile[] certificates) => SigningKey.Read(key, null, certificates, Authority.Start.AddMonths(1));

    private static void Refuse(Action work, params ReadOnlySpan<string> words) => ErrorAssert.Throws(CheckpointErrorCode.SigningKeyInvalid, work, words);
}
