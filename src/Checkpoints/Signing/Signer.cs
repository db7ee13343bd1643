namespace Fairseq2Llama.Signing;

/// <summary>Who made a signature.</summary>
/// <param name="KeyFingerprint">The SHA-256 of the public key's PEM file, in lower-case hexadecimal digits.</param>
/// <param name="Certificate">The owner of the key as its certificate names it; null where only the key is known.</param>
/// <param name="Issuer">Who issued the certificate.</param>
internal sealed record Signer(string KeyFingerprint, string? Certificate = null, string? Issuer = null);
