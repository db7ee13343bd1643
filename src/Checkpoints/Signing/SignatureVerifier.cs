namespace Fairseq2Llama.Signing;

/// <summary>Verifies the signature of a bundle, and that somebody who is trusted made it.</summary>
internal abstract class SignatureVerifier
{
    /// <summary>What release 0.2 of model_signing signed. It mistook how, so that no such signature fits.</summary>
    private static ReadOnlySpan<byte> OldPredicateType => "https://model_signing/Digests/v0.1"u8;

    /// <summary>Trusts one key.</summary>
    /// <param name="file">The public key in PEM, or a certificate of it.</param>
    /// <exception cref="CheckpointException">The file has no key that could have signed a model.</exception>
    public static SignatureVerifier WithPublicKey(PemFile file) => new PublicKeyVerifier(EcPublicKey.Read(file), file.Name);

    /// <summary>Trusts everybody to whom one of these has issued a certificate for code signing.</summary>
    /// <param name="files">Certificates of certificate authorities in PEM, such as one's own. That of a root must be among them.</param>
    /// <param name="time">When certificates must be valid.</param>
    /// <exception cref="CheckpointException">A file has no certificate.</exception>
    public static SignatureVerifier WithTrustedRoots(IEnumerable<PemFile> files, DateTimeOffset time) =>
        new CertificateVerifier([.. files.SelectMany(CertificateFile.Read)], time);

    /// <exception cref="CheckpointException">The signature is wrong, is not one of a model, or somebody else made it.</exception>
    public VerifiedStatement Verify(SigstoreBundle bundle)
    {
        var signer = VerifySigner(bundle);
        return new VerifiedStatement(InTotoStatement.Read(bundle.Envelope.Payload, bundle.File), signer);
    }

    /// <exception cref="CheckpointException">The signature is wrong, or somebody else made it.</exception>
    protected abstract Signer VerifySigner(SigstoreBundle bundle);

    private protected static CheckpointException Invalid(SigstoreBundle bundle, string what) => new(
        CheckpointErrorCode.SignatureInvalid,
        bundle.Envelope.Payload.AsSpan().IndexOf(OldPredicateType) < 0
            ? $"The signature in '{bundle.File}' is wrong: {what} Get the file again, or ask whoever signed for another."
            : $"'{bundle.File}' is a signature that can't be verified here: it was made with model_signing 0.2, which signed other bytes than the specification says. Newer releases verify it.",
        bundle.File);

    private protected static CheckpointException Untrusted(SigstoreBundle bundle, string what) =>
        new(CheckpointErrorCode.SignerUntrusted, $"'{bundle.File}' {what}", bundle.File);
}
