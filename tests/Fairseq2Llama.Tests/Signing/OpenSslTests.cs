using System.Globalization;
using System.Text;
using System.Text.Json;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Signing;

/// <summary>OpenSSL verifies what is signed here, its signatures are verified here, and its keys are read.</summary>
[External]
public sealed class OpenSslTests : IDisposable
{
    private const string PayloadType = "application/vnd.in-toto+json";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("P-256", "-sha256")]
    [InlineData("P-384", "-sha384")]
    [InlineData("P-521", "-sha512")]
    public void Verifies_what_is_signed_here(string curve, string hash)
    {
        var (key, publicKey) = MakeKey(curve);

        using var bundle = JsonDocument.Parse(TestKeys.Sign(key));
        var envelope = bundle.RootElement.GetProperty("dsseEnvelope");
        File.WriteAllBytes(_folder["signed"], Encode(envelope.GetProperty("payload").GetBytesFromBase64()));
        File.WriteAllBytes(_folder["signature"], envelope.GetProperty("signatures")[0].GetProperty("sig").GetBytesFromBase64());

        Assert.Contains("Verified OK", OpenSsl.Run("dgst", hash, "-verify", _folder[publicKey.Name], "-signature", _folder["signature"], _folder["signed"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("P-256", "-sha256")]
    [InlineData("P-384", "-sha384")]
    [InlineData("P-521", "-sha512")]
    public void Signs_what_is_verified_here(string curve, string hash)
    {
        var (key, publicKey) = MakeKey(curve);
        var payload = ModelSignature.Of("llama", TestKeys.Resources, []).ToStatement();
        File.WriteAllBytes(_folder["signed"], Encode(payload));
        OpenSsl.Run("dgst", hash, "-sign", _folder[key.Name], "-out", _folder["signature"], _folder["signed"]);

        var bundle = JsonSerializer.SerializeToUtf8Bytes(new
        {
            mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json",
            verificationMaterial = new { publicKey = new { } },
            dsseEnvelope = new { payload, payloadType = PayloadType, signatures = (object[])[new { sig = File.ReadAllBytes(_folder["signature"]) }] },
        });

        var verified = SignatureVerifier.WithPublicKey(publicKey).Verify(SigstoreBundle.Read(bundle, "model.sig"));
        Assert.Equal(TestKeys.Resources, ModelSignature.Read(verified).Resources);
    }

    /// <summary>As model_signing computes the hint: of the file that OpenSSL writes.</summary>
    [Fact]
    public void Writes_the_public_key_whose_hash_is_the_fingerprint()
    {
        var (_, publicKey) = MakeKey("P-256");

        Assert.Contains(EcPublicKey.Read(publicKey).Fingerprint, OpenSsl.Run("dgst", "-sha256", _folder[publicKey.Name]), StringComparison.Ordinal);
    }

    [Fact]
    public void Writes_keys_that_are_read_here()
    {
        var (key, publicKey) = MakeKey("P-384");
        using var password = TestKeys.Secure("sécret");
        OpenSsl.Run("pkcs8", "-topk8", "-in", _folder[key.Name], "-out", _folder["encrypted"], "-passout", "pass:sécret");
        OpenSsl.Run("ec", "-in", _folder[key.Name], "-out", _folder["sec1"]);
        OpenSsl.Run("ecparam", "-name", "prime256v1", "-genkey", "-out", _folder["with parameters"]);

        foreach (var name in (string[])["encrypted", "sec1", key.Name])
        {
            using var read = SigningKey.Read(Read(name), password);
            Assert.Equal(EcPublicKey.Read(publicKey).Fingerprint, read.PublicKey.Fingerprint);
        }

        using var other = SigningKey.Read(Read("with parameters"));
        Assert.Equal("P-256", other.PublicKey.Curve.Name);
    }

    [Theory]
    [InlineData("RSA", "an RSA key", "-pkeyopt", "rsa_keygen_bits:2048")]
    [InlineData("ED25519", "an Ed25519 key")]
    [InlineData("X25519", "can't be read")]
    [InlineData("EC", "another curve", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1")]
    [InlineData("EC", "another curve", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit")]
    public void Writes_keys_that_are_refused_here(string algorithm, string expected, params string[] options)
    {
        OpenSsl.Run(["genpkey", "-algorithm", algorithm, .. options, "-out", _folder["key"]]);
        OpenSsl.Run("pkey", "-in", _folder["key"], "-pubout", "-out", _folder["public"]);

        ErrorAssert.Throws(CheckpointErrorCode.SigningKeyInvalid, () => SigningKey.Read(Read("key")), "'key'", expected);
        ErrorAssert.Throws(CheckpointErrorCode.SigningKeyInvalid, () => EcPublicKey.Read(Read("public")), "not on the elliptic curve");
    }

    private static byte[] Encode(byte[] payload) =>
        [.. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"DSSEv1 {PayloadType.Length} {PayloadType} {payload.Length} ")), .. payload];

    private (PemFile Key, PemFile PublicKey) MakeKey(string curve)
    {
        OpenSsl.Run("genpkey", "-algorithm", "EC", "-pkeyopt", $"ec_paramgen_curve:{curve}", "-out", _folder["key"]);
        OpenSsl.Run("pkey", "-in", _folder["key"], "-pubout", "-out", _folder["public"]);
        return (Read("key"), Read("public"));
    }

    private PemFile Read(string name) => new(name, File.ReadAllText(_folder[name]));
}
