namespace Fairseq2Llama.Signing;

/// <summary>Verifies the signature of a bundle, and that somebody who is trusted made it.</summary>
internal abstract class SignatureVerifier
{
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

    private protected static CheckpointException Invalid(SigstoreBundle bundle, string what) =>
        new(CheckpointErrorCode.SignatureInvalid, $"The signature in '{bundle.File}' is wrong: {what}", bundle.File);

    private protected static CheckpointException Untrusted(SigstoreBundle bundle, string what) =>
        new(CheckpointErrorCode.SignerUntrusted, $"'{bundle.File}' {what}", bundle.File);
}
