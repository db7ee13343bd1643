using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Manifests;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Attestation;

/// <summary>Compares the files of a folder with what a manifest or a signature says of them.</summary>
/// <param name="folder">The folder.</param>
/// <param name="expected">The files; the length is negative where it is not known.</param>
internal sealed class FileMatches(ICheckpointFolder folder, ImmutableArray<ManifestFile> expected)
{
    /// <summary>The files that are worth hashing: those that are there and have a length that fits, or at least that of another file, whose place they may have taken.</summary>
    public IEnumerable<CheckpointContent> Candidates
    {
        get
        {
            var lengths = expected.Select(file => file.SizeInBytes).ToHashSet();

            return
                from file in expected
                let stored = StoredFile.Below(folder, file.Name)
                where stored.Exists && (file.SizeInBytes < 0 || lengths.Contains(stored.Length))
                select new CheckpointContent(file.Name, stored);
        }
    }

    /// <param name="hashes">The SHA-256 of the candidates, by name.</param>
    /// <returns>What is missing or different.</returns>
    public IEnumerable<CheckpointFinding> Find(IReadOnlyDictionary<string, string> hashes) =>
        from file in expected
        let stored = StoredFile.Below(folder, file.Name)
        let problem = FindProblem(file, stored, hashes.GetValueOrDefault(file.Name))
        where problem is not null
        select new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.ManifestMismatch, problem, File: stored.Path);

    private string? FindProblem(ManifestFile file, StoredFile stored, string? hash)
    {
        if (hash == file.Sha256)
        {
            return null;
        }

        if (hash is not null && expected.FirstOrDefault(other => other.Sha256 == hash) is { } other)
        {
            return $"'{file.Name}' has the content that '{other.Name}' should have";
        }

        return !stored.Exists ? $"'{file.Name}' is missing"
            : file.SizeInBytes >= 0 && stored.Length != file.SizeInBytes
                ? string.Create(CultureInfo.InvariantCulture, $"'{file.Name}' is {Quantity.Of(stored.Length, "byte")} long, and not {file.SizeInBytes:N0}")
            : $"'{file.Name}' was changed: its SHA-256 is {hash}, and not {file.Sha256}";
    }
}
