using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Planning;

/// <summary>How a planned file is written.</summary>
/// <param name="Copier">Gives the data of tensors.</param>
/// <param name="Verification">How much to check.</param>
/// <param name="Flush">Whether it must have reached the disk.</param>
/// <param name="Report">Told how many bytes were written, or read once more, since it was told last.</param>
/// <param name="CancellationToken">Stops it.</param>
internal sealed record WriteContext(
    StorageCopier Copier, VerificationPolicy Verification, bool Flush, Action<long> Report, CancellationToken CancellationToken)
{
    /// <summary>Threads to write it with.</summary>
    public Workers MakeWorkers() => new(Report, CancellationToken);
}
