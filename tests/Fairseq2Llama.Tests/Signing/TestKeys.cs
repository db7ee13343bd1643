using System.Security;
using System.Security.Cryptography;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Signing;

/// <summary>Keys as files of PEM, and models as lists of files.</summary>
internal static class TestKeys
{
    public static readonly TheoryData<string> Curves = ["P-256", "P-384", "P-521"];

    public static ModelResource[] Resources { get; } =
    [
        new("config.json", HashOf("{}")), new("model-00001-of-00002.safetensors", HashOf("1")), new("original/params.json", HashOf("2")),
    ];

    public static ECCurve CurveOf(string name) => name switch
    {
        "P-256" => ECCurve.NamedCurves.nistP256,
        "P-384" => ECCurve.NamedCurves.nistP384,
        _ => ECCurve.NamedCurves.nistP521,
    };

    public static (PemFile Private, PemFile Public) Make(string curve = "P-256")
    {
        EllipticKeys.Require();
        using var key = ECDsa.Create(CurveOf(curve));
        return (new PemFile("signing.key", key.ExportPkcs8PrivateKeyPem()), new PemFile("signing.pub", key.ExportSubjectPublicKeyInfoPem()));
    }

    /// <summary>The bytes of a model.sig of some files.</summary>
    public static byte[] Sign(PemFile privateKey)
    {
        using var key = SigningKey.Read(privateKey);
        return Sign(key);
    }

    public static byte[] Sign(SigningKey key) => SigstoreBundle.Sign(ModelSignature.Of("llama", Resources, [ModelSignature.FileName]).ToStatement(), key);

    public static SecureString Secure(string text)
    {
        var secure = new SecureString();
        text.ToList().ForEach(secure.AppendChar);
        return secure;
    }

    public static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
}
