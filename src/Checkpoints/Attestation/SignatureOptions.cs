using System.Collections.Immutable;
using System.Security;

namespace Fairseq2Llama;

/// <summary>How to sign a checkpoint.</summary>
/// <param name="KeyPath">The file of a private key on the elliptic curve P-256, P-384 or P-521, in PEM.</param>
public sealed record SigningOptions(CheckpointAddress KeyPath)
{
    /// <summary>Opens an encrypted key; null if it is not encrypted.</summary>
    public SecureString? Password { get; init; }

    /// <summary>Files of certificates in PEM: first that of the key, then those that lead from it to its root. Empty for a key that verifiers know.</summary>
    public ImmutableArray<CheckpointAddress> CertificatePaths { get; init; } = [];
}

/// <summary>Whose signature is trusted: either the owner of a key, or everybody with a certificate for code signing that leads to a root.</summary>
public sealed record SignatureTrust
{
    /// <summary>The file of a public key in PEM, or of a certificate of it; null if certificates are trusted.</summary>
    public CheckpointAddress? KeyPath { get; init; }

    /// <summary>Files of root certificates in PEM; empty if a key is trusted.</summary>
    public ImmutableArray<CheckpointAddress> RootPaths { get; init; } = [];
}
