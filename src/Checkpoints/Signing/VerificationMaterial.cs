using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Fairseq2Llama.Signing;

/// <summary>What a bundle says of who signed: the fingerprint of a public key, or a certificate and those that lead to its root.</summary>
/// <param name="KeyHint">The fingerprint of the key, which proves nothing; null for certificates, and where the bundle does not say.</param>
/// <param name="Certificates">In DER, that of the key first; empty for a key.</param>
internal sealed record VerificationMaterial(string? KeyHint, ImmutableArray<byte[]> Certificates)
{
    /// <summary>Chains have three or four.</summary>
    public const int MaxCertificates = 16;

    private const string PublicKeyKey = "publicKey", HintKey = "hint", ChainKey = "x509CertificateChain", CertificatesKey = "certificates", BytesKey = "rawBytes";
    private const string SigstoreKey = "certificate", LogKey = "tlogEntries";

    public static VerificationMaterial Of(SigningKey key) => new(key.Certificates.IsEmpty ? key.PublicKey.Fingerprint : null, key.Certificates);

    /// <exception cref="CheckpointException">It is of a kind that only Sigstore can verify, or contradicts itself.</exception>
    public static VerificationMaterial Read(StrictJson material)
    {
        if (material.Has(SigstoreKey))
        {
            throw material.Unsupported("it was made without a key of one's own, through Sigstore. 'model_signing verify sigstore' verifies it.");
        }

        var (key, chain) = (material.Find(PublicKeyKey), material.Find(ChainKey));

        return (key, chain) switch
        {
            (not null, null) => new VerificationMaterial(HintOf(key), []),
            (null, not null) => new VerificationMaterial(null, CertificatesOf(chain)),
            _ => throw material.Invalid($"it must have either '{PublicKeyKey}' or '{ChainKey}'."),
        };
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();

        if (Certificates.IsEmpty)
        {
            json.WriteStartObject(PublicKeyKey);
            json.WriteString(HintKey, KeyHint);
            json.WriteEndObject();
        }
        else
        {
            WriteChain(json);
        }

        // Older releases of model_signing can't read a bundle without it.
        json.WriteStartArray(LogKey);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteChain(Utf8JsonWriter json)
    {
        json.WriteStartObject(ChainKey);
        json.WriteStartArray(CertificatesKey);

        foreach (var certificate in Certificates)
        {
            json.WriteStartObject();
            json.WriteBase64String(BytesKey, certificate);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>model_signing before 1.1.0 wrote the whole key, in PEM.</summary>
    private static string? HintOf(StrictJson key)
    {
        if (key.FindText(HintKey) is { Length: > 0 } hint)
        {
            return hint;
        }

        var pem = key.Has(BytesKey) ? new PemFile(key.File, Encoding.ASCII.GetString(key.Bytes(BytesKey))) : null;
        return pem?.Blocks.FirstOrDefault().Data is { } data ? EcPublicKey.Of(data)?.Fingerprint : null;
    }

    private static ImmutableArray<byte[]> CertificatesOf(StrictJson chain) => chain.Objects(CertificatesKey) switch
    {
        [] => throw chain.Invalid("its chain of certificates is empty."),
        { Length: > MaxCertificates } list => throw chain.Invalid($"it has a chain of {list.Length} certificates, and at most {MaxCertificates} are read."),
        var list => [.. list.Select(certificate => certificate.Bytes(BytesKey))],
    };
}
