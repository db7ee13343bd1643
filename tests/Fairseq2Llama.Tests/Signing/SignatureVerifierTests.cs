using System.Security.Cryptography;
using System.Text;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Signing;

/// <summary>Everything that can be wrong with a signature or with who made it is found, and each is told apart.</summary>
public sealed class SignatureVerifierTests
{
    private static readonly DateTimeOffset Now = Authority.Start.AddMonths(6);

    [Theory]
    [MemberData(nameof(TestKeys.Curves), MemberType = typeof(TestKeys))]
    public void A_signature_with_a_key_is_verified(string curve)
    {
        var (key, publicKey) = TestKeys.Make(curve);

        var verified = Verify(TestKeys.Sign(key), publicKey);

        Assert.Equal(TestKeys.Resources, ModelSignature.Read(verified).Resources);
        Assert.Equal(EcPublicKey.Read(publicKey).Fingerprint, verified.Signer.KeyFingerprint);
        Assert.Null(verified.Signer.Certificate);
    }

    [Theory]
    [MemberData(nameof(TestKeys.Curves), MemberType = typeof(TestKeys))]
    public void A_signature_with_a_certificate_is_verified(string curve)
    {
        using var authority = new Authority();
        var issued = authority.Issue(curve: TestKeys.CurveOf(curve));

        var bundle = SignWithCertificate(issued, authority.Intermediate);

        var verified = VerifyRoot(bundle, authority);
        Assert.Equal(TestKeys.Resources, ModelSignature.Read(verified).Resources);
        Assert.Contains("CN=Model Signer", verified.Signer.Certificate, StringComparison.Ordinal);
        Assert.Contains("CN=Test Root Intermediate", verified.Signer.Issuer, StringComparison.Ordinal);

        // Whoever trusts the certificate itself need not trust its authority.
        Assert.Equal(verified.Signer.KeyFingerprint, Verify(bundle, issued.Certificate).Signer.KeyFingerprint);
        Assert.Equal(verified.Signer.KeyFingerprint, VerifyRoot(SignWithCertificate(issued, authority.Intermediate, authority.Root), authority).Signer.KeyFingerprint);
    }

    [Fact]
    public void Of_another_key_is_found()
    {
        var bundle = TestKeys.Sign(TestKeys.Make().Private);

        RefuseSigner(() => Verify(bundle, TestKeys.Make().Public), "'model.sig'", "another key", "'signing.pub'", "its fingerprint is");
        RefuseSigner(() => Verify(bundle, TestKeys.Make("P-384").Public), "another key");

        using var authority = new Authority();
        RefuseSigner(() => Verify(SignWithCertificate(authority.Issue(), authority.Intermediate), TestKeys.Make().Public), "another key");
        RefuseSigner(() => VerifyRoot(bundle, authority), "has no certificate", "public key");
    }

    [Fact]
    public void With_another_hint_is_still_right()
    {
        var (key, publicKey) = TestKeys.Make();
        var hint = EcPublicKey.Read(publicKey).Fingerprint;

        Verify(Replace(TestKeys.Sign(key), hint, "k1CJ5o/AM+M35bLTJBgsdjaB+ew5NP86KT7vlnVIgEg="), publicKey);
        RefuseSignature(() => Verify(Replace(TestKeys.Sign(key), hint, "k1CJ5o/AM+M35bLTJBgsdjaB+ew5NP86KT7vlnVIgEg="), TestKeys.Make().Public), "made with another key");
        Verify(Replace(TestKeys.Sign(key), hint, ""), publicKey);
        Verify(Replace(TestKeys.Sign(key), $"\"hint\":\"{hint}\"", ""), publicKey);
    }

    /// <summary>model_signing 1.0 wrote the key itself.</summary>
    [Fact]
    public void With_a_key_in_place_of_a_hint_is_verified()
    {
        var (key, publicKey) = TestKeys.Make();
        var raw = Convert.ToBase64String(Encoding.ASCII.GetBytes($"{publicKey.Text}\n"));
        var bundle = Replace(TestKeys.Sign(key), $"\"hint\":\"{EcPublicKey.Read(publicKey).Fingerprint}\"", $"\"rawBytes\":\"{raw}\",\"keyDetails\":\"PKIX_ECDSA_P256_SHA_256\"");

        Verify(bundle, publicKey);
        RefuseSigner(() => Verify(bundle, TestKeys.Make().Public), "another key", EcPublicKey.Read(publicKey).Fingerprint);
    }

    [Fact]
    public void That_was_forged_is_found()
    {
        var (key, publicKey) = TestKeys.Make();
        using var authority = new Authority();
        var issued = authority.Issue();

        foreach (var signature in (byte[][])[[], [1, 2, 3], new byte[64], [0x30, 6, 2, 1, 0, 2, 1, 0], [0x30, 6, 2, 1, 1, 2, 1, 1], RandomNumberGenerator.GetBytes(72)])
        {
            RefuseSignature(() => Verify(Change(TestKeys.Sign(key), envelope => envelope with { Signature = signature }), publicKey), "'model.sig'", "has been changed");
            RefuseSignature(
                () => VerifyRoot(Change(SignWithCertificate(issued, authority.Intermediate), envelope => envelope with { Signature = signature }), authority), "does not fit its certificate");
        }
    }

    [Fact]
    public void Of_a_statement_that_was_changed_is_found()
    {
        var (key, publicKey) = TestKeys.Make();
        var bundle = SigstoreBundle.Read(TestKeys.Sign(key), "model.sig");
        var length = bundle.Envelope.Payload.Length;

        for (var place = 0; place < length; place += 7)
        {
            var changed = (byte[])bundle.Envelope.Payload.Clone();
            changed[place] ^= 1;
            RefuseSignature(() => Verify(Change(bundle.Write(), envelope => envelope with { Payload = changed }), publicKey), "has been changed");
        }
    }

    [Fact]
    public void Of_the_release_that_mistook_what_to_sign_is_not_called_wrong()
    {
        var (key, publicKey) = TestKeys.Make();
        var bundle = Change(TestKeys.Sign(key), envelope => envelope with { Payload = """{"predicateType": "https://model_signing/Digests/v0.1"}"""u8.ToArray() });

        RefuseSignature(() => Verify(bundle, publicKey), "model_signing 0.2");
    }

    [Fact]
    public void Of_another_type_of_data_is_found()
    {
        var (key, publicKey) = TestKeys.Make();

        RefuseSignature(() => Verify(Replace(TestKeys.Sign(key), "vnd.in-toto", "vnd.other"), publicKey), "vnd.other", "vnd.in-toto");
    }

    [Fact]
    public void By_a_certificate_that_is_not_valid_is_found()
    {
        using var authority = new Authority();
        using var other = new Authority("Other Root");
        var bundle = SignWithCertificate(authority.Issue(), authority.Intermediate);

        RefuseSigner(() => VerifyRoot(bundle, authority, Authority.Start.AddYears(2)), "CN=Model Signer", "expired on 2027-01-01 00:00:00Z");
        RefuseSigner(() => VerifyRoot(bundle, authority, Authority.Start.AddDays(-1)), "not valid before 2026-01-01 00:00:00Z");
        RefuseSigner(() => VerifyRoot(bundle, other), "CN=Model Signer", "does not lead to one of the trusted roots");
        RefuseSigner(() => VerifyRoot(SignWithCertificate(authority.Issue()), authority), "does not lead to one of the trusted roots");
        RefuseSigner(() => VerifyRoot(SignWithCertificate(authority.Issue(), other.Intermediate), authority), "does not lead to one of the trusted roots");
    }

    /// <summary>An authority of the same name as the trusted one, but with a key of its own.</summary>
    [Fact]
    public void By_a_certificate_that_was_forged_is_found()
    {
        using var authority = new Authority();
        using var impostor = new Authority();

        RefuseSigner(() => VerifyRoot(SignWithCertificate(impostor.Issue(), authority.Intermediate), authority), "CN=Model Signer");
        RefuseSigner(() => VerifyRoot(SignWithCertificate(impostor.Issue(), impostor.Intermediate), authority), "CN=Model Signer");
        RefuseSigner(() => VerifyRoot(SignWithCertificate(impostor.Issue(), impostor.Intermediate, impostor.Root), authority), "CN=Model Signer");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void By_a_certificate_for_something_else_is_found(bool isForCode, bool isForServers)
    {
        using var authority = new Authority();
        var (keyFile, certificate) = authority.Issue(isForCode, isForServers);

        // No such key would be read to sign with, so the certificate is put into a bundle of its key.
        using var key = SigningKey.Read(keyFile);
        var chain = CertificateFile.Read(certificate).Concat(CertificateFile.Read(authority.Intermediate));
        var bundle = SigstoreBundle.Read(TestKeys.Sign(key), "model.sig") with { Material = new VerificationMaterial(null, [.. chain]) };

        RefuseSigner(() => VerifyRoot(bundle.Write(), authority), "CN=Model Signer", "lacks code signing");
    }

    [Fact]
    public void By_a_damaged_certificate_is_found()
    {
        using var authority = new Authority();
        var bundle = SigstoreBundle.Read(SignWithCertificate(authority.Issue(), authority.Intermediate), "model.sig");

        foreach (var certificate in (byte[][])[[], [0x30, 0], "-----BEGIN CERTIFICATE-----"u8.ToArray(), bundle.Material.Certificates[0][..^1]])
        {
            var damaged = bundle with { Material = new VerificationMaterial(null, [certificate, .. bundle.Material.Certificates[1..]]) };
            RefuseSignature(() => VerifyRoot(damaged.Write(), authority), "a certificate in it is damaged");
        }
    }

    [Fact]
    public void Of_any_statement_is_verified()
    {
        var statement = """{"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "x", "digest": {"sha256": "00"}}], "predicateType": "https://example.com/x", "predicate": {"a": 1}}"""u8.ToArray();
        var (keyFile, publicKey) = TestKeys.Make();
        using var key = SigningKey.Read(keyFile);

        var verified = Verify(SigstoreBundle.Sign(statement, key), publicKey);

        Assert.Equal(statement, verified.Statement.Bytes);
        Assert.Equal("https://example.com/x", verified.Statement.PredicateType);
        RefuseSignature(() => ModelSignature.Read(verified), "https://example.com/x", ModelSignature.PredicateType);
        RefuseSignature(() => SigstoreBundle.Sign("{}"u8.ToArray(), key), "predicateType");
    }

    private static byte[] SignWithCertificate((PemFile Key, PemFile Certificate) issued, params PemFile[] chain)
    {
        using var key = SigningKey.Read(issued.Key, null, [issued.Certificate, .. chain], Now);
        return TestKeys.Sign(key);
    }

    private static VerifiedStatement Verify(byte[] bundle, PemFile publicKey) => SignatureVerifier.WithPublicKey(publicKey).Verify(SigstoreBundle.Read(bundle, "model.sig"));

    private static VerifiedStatement VerifyRoot(byte[] bundle, Authority authority, DateTimeOffset? time = null) =>
        SignatureVerifier.WithTrustedRoots([authority.Root], time ?? Now).Verify(SigstoreBundle.Read(bundle, "model.sig"));

    private static byte[] Change(byte[] bundle, Func<DsseEnvelope, DsseEnvelope> change)
    {
        var read = SigstoreBundle.Read(bundle, "model.sig");
        return (read with { Envelope = change(read.Envelope) }).Write();
    }

    private static byte[] Replace(byte[] bundle, string old, string replacement)
    {
        var text = Encoding.UTF8.GetString(bundle);
        Assert.Contains(old, text, StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(text.Replace(old, replacement, StringComparison.Ordinal));
    }

    private static void RefuseSignature(Action work, params ReadOnlySpan<string> words) => ErrorAssert.Throws(CheckpointErrorCode.SignatureInvalid, work, words);

    private static void RefuseSigner(Action work, params ReadOnlySpan<string> words) => ErrorAssert.Throws(CheckpointErrorCode.SignerUntrusted, work, words);
}
