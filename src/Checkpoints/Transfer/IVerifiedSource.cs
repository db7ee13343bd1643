using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Transfer;

/// <summary>A source that reads others itself, which have checksums.</summary>
internal interface IVerifiedSource : IByteSource
{
    /// <inheritdoc cref="IByteSource.Open"/>
    /// <param name="verification">How much to check.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    IByteReader Open(VerificationPolicy verification, CancellationToken cancellationToken);
}
