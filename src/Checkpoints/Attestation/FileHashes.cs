using System.Collections.Concurrent;
using System.Security.Cryptography;
using Fairseq2Llama.Manifests;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Attestation;

/// <summary>Hashes files, several at once.</summary>
internal static class FileHashes
{
    /// <param name="files">The files.</param>
    /// <param name="report">Told on the calling thread how many bytes were read since it was told last.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The SHA-256 of each, by name.</returns>
    /// <exception cref="CheckpointException">One can't be read.</exception>
    public static IReadOnlyDictionary<string, string> Of(IEnumerable<CheckpointContent> files, Action<long> report, CancellationToken cancellationToken)
    {
        var hashes = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var workers = new Workers(report, cancellationToken);
        workers.Run([.. files.OrderByDescending(file => file.Stored.Length)], isParallel: true, (file, stop) => hashes[file.Name] = Of(file.Stored, workers.Done, stop));
        return hashes;
    }

    private static string Of(StoredFile file, Action<long> done, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        WholeFile.ReadPieces(
            file.Source,
            piece =>
            {
                hash.AppendData(piece);
                done(piece.Length);
            },
            cancellationToken);

        return hash.Finish();
    }
}
