using System.Collections.Immutable;
using Fairseq2Llama.Manifests;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Attestation;

/// <summary>Compares a checkpoint with its manifest and its signature.</summary>
/// <param name="files">Where they are.</param>
/// <param name="manifest">The manifest; null to compare with the signature only.</param>
/// <param name="options">How.</param>
/// <param name="progress">Told how far it is, on the calling thread.</param>
/// <param name="cancellationToken">Stops it.</param>
internal sealed class AttestationCheck(
    AttestedFiles files, CheckpointManifest? manifest, ManifestTestOptions options, IProgress<ByteProgress>? progress, CancellationToken cancellationToken)
{
    private readonly ICheckpointFolder _folder = files.Folder;
    private readonly StoredFile? _signature = files.Signature;
    private readonly List<CheckpointFinding> _findings = [];
    private string _file = "";
    private long _total;
    private long _done;

    public ManifestTestResult Run()
    {
        var (signed, signer) = options.Trust is { } trust ? Verify(trust.Verifier) : (null, null);
        var expected = Expect(signed);
        var matches = new FileMatches(_folder, expected);
        CheckpointContent[] candidates = [.. matches.Candidates];
        _total = candidates.Sum(file => file.Stored.Length) + (options.Against is { } checkpoint ? TensorHashes.LengthOf(checkpoint) : 0);

        _file = files.Name;
        _findings.AddRange(matches.Find(FileHashes.Of(candidates, Report, cancellationToken)));
        _findings.AddRange(FindUnlisted(expected, signed));
        var (tensors, against) = CompareTensors();

        return new ManifestTestResult(files.Name, files.Path, [.. _findings])
        {
            Manifest = manifest,
            Files = expected.Length,
            Tensors = tensors,
            Against = against,
            SignedBy = signer is null ? null : signer.Certificate ?? signer.KeyFingerprint,
        };
    }

    private (ModelSignature? Signed, Signer? Signer) Verify(SignatureVerifier verifier)
    {
        if (_signature is null)
        {
            Add(FindingSeverity.Error, CheckpointErrorCode.SignatureInvalid, $"'{_folder.Path}' is not signed: there is no {ModelSignature.FileName}", _folder.Path);
            return default;
        }

        try
        {
            var verified = verifier.Verify(SigstoreBundle.Read(WholeFile.ReadText(_signature.Source, StrictJson.MaxLength), _signature.Path));
            return (ModelSignature.Read(verified), verified.Signer);
        }
        catch (CheckpointException e) when (e.Code == CheckpointErrorCode.CheckpointCorrupt)
        {
            // Whoever empties the file has removed the signature, too.
            Add(FindingSeverity.Error, CheckpointErrorCode.SignatureInvalid, e.Message, _signature.Path);
            return default;
        }
        catch (CheckpointException e)
        {
            _findings.AddRange(e.Findings);
            return default;
        }
    }

    /// <summary>What a signature says counts more than what a manifest says, which anybody can write. Only the manifest has lengths.</summary>
    private ImmutableArray<ManifestFile> Expect(ModelSignature? signed)
    {
        var listed = manifest?.Files ?? [];

        if (signed is null)
        {
            if (_signature is not null && options.Trust is null)
            {
                Add(FindingSeverity.Warning, CheckpointErrorCode.SignatureInvalid, $"'{_signature.Path}' was not verified, because nobody is trusted. Use -KeyPath or -TrustedCertificatePath", _signature.Path);
            }

            return listed;
        }

        var lengths = listed.ToDictionary(file => file.Name, file => file.SizeInBytes, StringComparer.Ordinal);
        var hashes = signed.Resources.ToDictionary(resource => resource.Name, resource => resource.Sha256, StringComparer.Ordinal);

        foreach (var file in listed)
        {
            if (!hashes.TryGetValue(file.Name, out var hash))
            {
                Add(FindingSeverity.Error, CheckpointErrorCode.ManifestMismatch, $"'{file.Name}' is in the manifest, but not signed", StoredFile.Below(_folder, file.Name).Path);
            }
            else if (hash != file.Sha256)
            {
                Add(FindingSeverity.Error, CheckpointErrorCode.ManifestMismatch, $"the manifest has another SHA-256 of '{file.Name}' than the signature", StoredFile.Below(_folder, file.Name).Path);
            }
        }

        return
        [
            .. from resource in signed.Resources
               select new ManifestFile(resource.Name, lengths.GetValueOrDefault(resource.Name, -1), resource.Sha256),
            .. listed.Where(file => !hashes.ContainsKey(file.Name)),
        ];
    }

    /// <summary>A signature is of everything in the folder. A manifest can be older than a file that nobody minds, such as a readme.</summary>
    private IEnumerable<CheckpointFinding> FindUnlisted(ImmutableArray<ManifestFile> expected, ModelSignature? signed)
    {
        if (!_folder.CanList || (signed is null && (manifest?.Path is not { } path || StoredName(path) != ManifestNames.OfFolder)))
        {
            return [];
        }

        var known = expected.Select(file => file.Name).ToHashSet(StringComparer.Ordinal);

        return signed is null
            ? from name in _folder.FileNames.Order(StringComparer.Ordinal)
              where !known.Contains(name) && CheckpointContent.IsBeside(name)
              select new CheckpointFinding(FindingSeverity.Warning, CheckpointErrorCode.ManifestMismatch, $"'{name}' is not in the manifest", File: _folder.PathOf(name))
            : FindUnsigned(FolderContent.Of(_folder, signed.Ignores), known, signed);
    }

    /// <summary>Where a signature is of no links, its owner has seen the files themselves, and model_signing refuses any link.</summary>
    private IEnumerable<CheckpointFinding> FindUnsigned(FolderContent content, HashSet<string> known, ModelSignature signed) =>
    [
        .. from file in content.Files
           where !known.Contains(file.Name)
           select new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.ManifestMismatch, $"'{file.Name}' is not signed", File: file.Stored.Path),
        .. from link in signed.AllowsLinks ? [] : content.Links
           select new CheckpointFinding(
               FindingSeverity.Error, CheckpointErrorCode.ManifestMismatch, $"'{link}' is a link, and there was none when the checkpoint was signed", File: StoredFile.Below(_folder, link).Path),
    ];

    private (int Count, string? Name) CompareTensors()
    {
        if (options is { Against: null, AgainstManifest: null })
        {
            return default;
        }

        if (manifest is null)
        {
            Add(FindingSeverity.Error, CheckpointErrorCode.ManifestNotFound, $"'{_folder.Path}' has no manifest, so its tensors can't be compared. Make one with New-CheckpointManifest", _folder.Path);
            return default;
        }

        if (options.Against is { } checkpoint)
        {
            _file = checkpoint.Name;
            return Compare(TensorHashes.Of(checkpoint, Report, cancellationToken), checkpoint.Name);
        }

        var other = options.AgainstManifest!;

        foreach (var name in manifest.Source is null || other.Source is null ? (IEnumerable<string>)[] : other.Options.Keys.Union(manifest.Options.Keys).Order(StringComparer.Ordinal))
        {
            var (own, its) = (manifest.Options.GetValueOrDefault(name), other.Options.GetValueOrDefault(name));

            if (own != its)
            {
                Add(FindingSeverity.Warning, CheckpointErrorCode.ManifestMismatch, $"the export had {Show(name, own)}, and that of '{other}' had {Show(name, its)}", other.Path);
            }
        }

        return Compare(other.Tensors, other.ToString());
    }

    private (int Count, string? Name) Compare(IReadOnlyList<ManifestTensor> tensors, string name)
    {
        _findings.AddRange(TensorMatches.Find(manifest!.Tensors, tensors, name));
        return (manifest.Tensors.Length, name);
    }

    private static string Show(string option, string? value) => value is null ? $"no -{option}" : $"-{option} {value}";

    private static string StoredName(string path) => path[(path.LastIndexOfAny(['/', '\\']) + 1)..];

    private void Add(FindingSeverity severity, CheckpointErrorCode code, string message, string? file) => _findings.Add(new CheckpointFinding(severity, code, message, File: file));

    private void Report(long count)
    {
        _done += count;
        progress?.Report(new ByteProgress(_file, _done, _total));
    }
}
