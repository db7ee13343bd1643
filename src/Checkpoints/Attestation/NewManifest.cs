using System.Collections.Immutable;
using Fairseq2Llama.Conversion;
using Fairseq2Llama.Manifests;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Attestation;

/// <summary>Writes a manifest beside a checkpoint and, with a key, a signature: both, or neither.</summary>
internal sealed class NewManifest(LlamaCheckpoint checkpoint, ManifestOptions options, IProgress<ByteProgress>? progress, CancellationToken cancellationToken)
{
    private readonly string _name = ManifestNames.For(checkpoint.Stem);
    private readonly ICheckpointFolder _folder = checkpoint.Folder;

    /// <summary>The names of the files that are written.</summary>
    /// <exception cref="CheckpointException">One is there already.</exception>
    public static ImmutableArray<string> NamesFor(LlamaCheckpoint checkpoint, ManifestOptions options)
    {
        AttestedFiles.RequireStored(checkpoint);
        var name = ManifestNames.For(checkpoint.Stem);
        var isKept = options is { Signer: not null, Force: false } && checkpoint.Folder.HasFile(name);
        ImmutableArray<string> names = [.. isKept ? [] : (string[])[name], .. options.Signer is null ? [] : (string[])[ModelSignature.FileName]];
        return options.Force || names.Where(checkpoint.Folder.HasFile).ToArray() is not [_, ..] present ? names : throw Exists(checkpoint.Folder, present);
    }

    /// <exception cref="CheckpointException">The checkpoint is damaged; a manifest is there already; or it can't be written.</exception>
    public CheckpointManifest Write()
    {
        var names = NamesFor(checkpoint, options);
        string[] present = [.. names.Where(_folder.HasFile)];
        var destination = Destinations.At(new CheckpointAddress(_folder.Path, options.Access), cancellationToken);
        var content = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var manifest = names.Contains(_name) ? Make() : RequireSame();

        if (names.Contains(_name))
        {
            content.Add(_name, ManifestStatement.Write(manifest));
        }

        if (options.Signer is { } signer)
        {
            content.Add(ModelSignature.FileName, Sign(signer.Key, manifest, content.GetValueOrDefault(_name)));
        }

        Commit(destination, content, present);
        return manifest with { Path = _folder.PathOf(_name) };
    }

    private CheckpointManifest Make()
    {
        using var maker = new ManifestMaker(checkpoint, progress, cancellationToken);
        var made = maker.Run();
        return FindEarlier() is { } earlier && IsSame(earlier, made) ? made with { Tensors = earlier.Tensors, Source = earlier.Source, Options = earlier.Options } : made;
    }

    /// <summary>The manifest that is replaced, which may be useless: then it is no loss.</summary>
    private CheckpointManifest? FindEarlier()
    {
        try
        {
            return _folder.HasFile(_name) ? ManifestReader.Read(_folder.SourceOf(_name)) : null;
        }
        catch (CheckpointException)
        {
            return null;
        }
    }

    /// <summary>Only an export knows what a checkpoint was made from, and as long as that checkpoint is the same, it stays true.</summary>
    private static bool IsSame(CheckpointManifest earlier, CheckpointManifest made)
    {
        var hashes = made.Files.ToDictionary(file => file.Name, file => file.Sha256, StringComparer.Ordinal);
        return earlier.ModelSha256 == made.ModelSha256 && earlier.Files.All(file => hashes.GetValueOrDefault(file.Name) == file.Sha256);
    }

    /// <summary>Only what is still as its manifest says is signed.</summary>
    private CheckpointManifest RequireSame()
    {
        var result = ManifestTest.Run(checkpoint, new ManifestTestOptions(), progress, cancellationToken);

        CheckpointException.ThrowIfAny(
            result.Findings.Where(finding => finding.Severity == FindingSeverity.Error),
            $"'{checkpoint.Path}' is not what its manifest says",
            "Get it again, or make a new manifest with -Force.");

        return result.Manifest!;
    }

    /// <summary>All that is in the folder, as model_signing demands it.</summary>
    private byte[] Sign(SigningKey key, CheckpointManifest manifest, byte[]? written)
    {
        var known = manifest.Files.ToDictionary(file => file.Name, file => file.Sha256!, StringComparer.Ordinal);

        if (written is not null)
        {
            known[_name] = HexDigest.Of(written);
        }

        var content = FolderContent.Of(_folder, IsIgnored);
        CheckpointContent[] others = [.. content.Files.Where(file => !known.ContainsKey(file.Name))];
        var (done, total) = (0L, others.Sum(file => file.Stored.Length));

        var hashes = FileHashes.Of(
            others,
            count =>
            {
                done += count;
                progress?.Report(new ByteProgress(_folder.Name, done, total));
            },
            cancellationToken);

        var signature = ModelSignature.Of(_folder.Name, known.Concat(hashes).Select(file => new ModelResource(file.Key, file.Value)), [ModelSignature.FileName], allowsLinks: content.Links.Count > 0);
        return SigstoreBundle.Sign(signature.ToStatement(), key);
    }

    private static bool IsIgnored(string path) => ModelSignature.IsIgnoredByAll(path) || path == ModelSignature.FileName;

    private void Commit(IExportDestination destination, Dictionary<string, byte[]> content, string[] replaced)
    {
        var length = content.Values.Sum(bytes => bytes.Length);

        try
        {
            using var staging = destination.Begin(new FolderChange
            {
                Placed = [.. content.Keys],
                Replaced = [.. replaced],
                Stale = [],
                Consumed = [],
                CommitMarker = content.Keys.Last(),
                OwnsFolder = false,
                Shards = [],
                Flush = true,
                ReadsBack = false,
                Space = new RequiredSpace(length, 0, []),
                RequireAsPlanned = () =>
                {
                    if (content.Keys.Where(name => _folder.HasFile(name) && !replaced.Contains(name)).ToArray() is { Length: > 0 } others)
                    {
                        throw Exists(_folder, others);
                    }
                },
            });

            foreach (var (name, bytes) in content)
            {
                using var file = staging.Create(name, bytes.Length, []);
                file.Write(bytes, 0);
                file.Complete();
            }

            cancellationToken.ThrowIfCancellationRequested();
            staging.Commit();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw destination.ToError(e, length);
        }
    }

    private static CheckpointException Exists(ICheckpointFolder folder, string[] names) => new(
        CheckpointErrorCode.OutputExists,
        $"'{folder.Path}' already holds {string.Join(" and ", names)}. Test the checkpoint with Test-CheckpointManifest, or replace {(names.Length == 1 ? "the file" : "the files")} with -Force.",
        folder.Path);
}
