using System.Security;
using Fairseq2Llama.Attestation;
using Fairseq2Llama.Signing;

namespace Fairseq2Llama;

/// <summary>Signs checkpoints with a private key.</summary>
public sealed class CheckpointSigner : IDisposable
{
    private CheckpointSigner(SigningKey key) => Key = key;

    internal SigningKey Key { get; }

    /// <summary>Reads a key.</summary>
    /// <param name="keyPath">The file of a private key on the elliptic curve P-256, P-384 or P-521, in PEM.</param>
    /// <param name="password">Opens an encrypted key; null if it is not encrypted.</param>
    /// <param name="certificatePaths">Files of certificates in PEM: first that of the key, then those that lead from it to its root. None for a key that verifiers know.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">The key or its certificate can't sign, or they do not belong together.</exception>
    public static CheckpointSigner Open(
        CheckpointAddress keyPath, SecureString? password, IReadOnlyCollection<CheckpointAddress> certificatePaths, CancellationToken cancellationToken = default)
    {
        var file = KeyFile.Read(keyPath, cancellationToken);
        PemFile[] certificates = [.. certificatePaths.Select(path => KeyFile.Read(path, cancellationToken))];
        return new CheckpointSigner(certificates.Length == 0 ? SigningKey.Read(file, password) : SigningKey.Read(file, password, certificates, DateTimeOffset.UtcNow));
    }

    /// <inheritdoc/>
    public void Dispose() => Key.Dispose();
}
