namespace Fairseq2Llama.Signing;

/// <summary>A statement whose signature is right, made by somebody who is trusted.</summary>
/// <param name="Statement">What was signed.</param>
/// <param name="Signer">Who signed.</param>
internal sealed record VerifiedStatement(InTotoStatement Statement, Signer Signer);
