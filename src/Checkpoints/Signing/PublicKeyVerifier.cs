using System.Security.Cryptography;

namespace Fairseq2Llama.Signing;

/// <summary>Trusts one key. A bundle with a certificate of that key is as good as one without; then it does not matter who issued it, or until when.</summary>
internal sealed class PublicKeyVerifier(EcPublicKey key, string keyFile) : SignatureVerifier
{
    protected override Signer VerifySigner(SigstoreBundle bundle)
    {
        // First, since a hint is not signed and other programs write other ones.
        if (key.Verify(bundle.Envelope.SignedBytes, bundle.Envelope.Signature))
        {
            return new Signer(key.Fingerprint);
        }

        throw FindOtherKey(bundle) is { } other
            ? Untrusted(bundle, $"was signed with another key than '{keyFile}': its fingerprint is {other}, that of '{keyFile}' is {key.Fingerprint}. Verify it with the public key of whoever should have signed.")
            : Invalid(bundle, "it or what was signed has been changed, or it was made with another key.");
    }

    /// <summary>cosign writes hints of another form, which say nothing here.</summary>
    private string? FindOtherKey(SigstoreBundle bundle)
    {
        var fingerprint = bundle.Material.Certificates is [var der, ..] ? FingerprintOf(der) : bundle.Material.KeyHint;
        return fingerprint?.Length == key.Fingerprint.Length && fingerprint != key.Fingerprint ? fingerprint : null;
    }

    private static string? FingerprintOf(byte[] der)
    {
        try
        {
            using var certificate = CertificateFile.Load(der);
            return EcPublicKey.Of(certificate)?.Fingerprint;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
