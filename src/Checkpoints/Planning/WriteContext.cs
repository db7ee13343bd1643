using Fairseq2Llama.Stores;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Planning;

/// <summary>How a planned file is written.</summary>
/// <param name="Staging">Where.</param>
/// <param name="Copier">Gives the data of tensors.</param>
/// <param name="Verification">How much to check.</param>
/// <param name="Report">Told how many bytes were written, or read once more, since it was told last.</param>
/// <param name="CancellationToken">Stops it.</param>
internal sealed record WriteContext(
    IStagedFolder Staging, StorageCopier Copier, VerificationPolicy Verification, Action<long> Report, CancellationToken CancellationToken)
{
    /// <summary>Threads to write it with.</summary>
    public Workers MakeWorkers() => new(Report, CancellationToken);

    /// <summary>Writes a small file.</summary>
    public void Write(string name, ReadOnlySpan<byte> content)
    {
        using var file = Staging.Create(name, content.Length, []);
        file.Write(content, 0);
        file.Complete();
    }
}
