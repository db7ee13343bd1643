using Fairseq2Llama.Attestation;
using Fairseq2Llama.Signing;

namespace Fairseq2Llama;

/// <summary>Whose signature is trusted: that of the owner of a key, or of everybody with a certificate for code signing that leads to a root.</summary>
public sealed class SignatureTrust
{
    private SignatureTrust(SignatureVerifier verifier) => Verifier = verifier;

    internal SignatureVerifier Verifier { get; }

    /// <summary>Trusts the owner of a key.</summary>
    /// <param name="keyPath">The file of the public key, or of a certificate of it, in PEM.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">The file has no key that could have signed a model.</exception>
    public static SignatureTrust InKey(CheckpointAddress keyPath, CancellationToken cancellationToken = default) =>
        new(SignatureVerifier.WithPublicKey(KeyFile.Read(keyPath, cancellationToken)));

    /// <summary>Trusts everybody to whom an authority has issued a certificate.</summary>
    /// <param name="rootPaths">Files of root certificates in PEM.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">A file has no certificate.</exception>
    public static SignatureTrust InRoots(IEnumerable<CheckpointAddress> rootPaths, CancellationToken cancellationToken = default) =>
        new(SignatureVerifier.WithTrustedRoots(rootPaths.Select(path => KeyFile.Read(path, cancellationToken)), DateTimeOffset.UtcNow));
}
