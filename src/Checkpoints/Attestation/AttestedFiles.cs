using Fairseq2Llama.Manifests;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Attestation;

/// <summary>Where the files are that vouch for a checkpoint.</summary>
/// <param name="Folder">The folder that they are about.</param>
/// <param name="Manifest">The manifest; null if there is none.</param>
/// <param name="Signature">The signature; null if there is none.</param>
internal sealed record AttestedFiles(ICheckpointFolder Folder, StoredFile? Manifest, StoredFile? Signature)
{
    /// <summary>The path of the checkpoint.</summary>
    public required string Path { get; init; }

    /// <summary>The name of the checkpoint.</summary>
    public required string Name { get; init; }

    /// <param name="place">The folder of a checkpoint, one of its files, a training run, or the manifest.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is nothing, or it can't be looked for.</exception>
    public static AttestedFiles Find(ICheckpointFolder place, CancellationToken cancellationToken)
    {
        if (CheckpointFolder.Look(place, () => !place.Exists && StoredFile.At(place) is null))
        {
            throw new CheckpointException(CheckpointErrorCode.CheckpointNotFound, $"There is no file or folder '{place.Path}'. Check the spelling of the path.", place.Path);
        }

        var manifest = ManifestNames.Find(place);
        var folder = manifest?.Folder ?? (place.Exists ? place : place.Parent!);

        var found = new AttestedFiles(folder, manifest, FindSignature(folder)) { Path = place.Path, Name = ManifestNames.StemOf(manifest?.Name) ?? folder.Name };

        // Those of a training run are beside its newest step.
        return found is { Manifest: null, Signature: null } && TryRead(place, cancellationToken) is { } checkpoint ? Of(checkpoint) : found;
    }

    public static AttestedFiles Of(LlamaCheckpoint checkpoint)
    {
        RequireStored(checkpoint);
        var file = new StoredFile(checkpoint.Folder, ManifestNames.For(checkpoint.Stem));
        return CheckpointFolder.Look(checkpoint.Folder, () => new AttestedFiles(checkpoint.Folder, file.Exists ? file : null, FindSignature(checkpoint.Folder)) { Path = checkpoint.Path, Name = checkpoint.Name });
    }

    /// <exception cref="CheckpointException">The checkpoint is in no files.</exception>
    public static void RequireStored(LlamaCheckpoint checkpoint)
    {
        if (!checkpoint.MadeFrom.IsEmpty)
        {
            throw new CheckpointException(
                CheckpointErrorCode.ManifestNotFound, $"'{checkpoint.Name}' is merged when it is read, so there are no files that a manifest could be of. Export it with -Manifest.", checkpoint.Name);
        }
    }

    /// <summary>The error if there is no manifest.</summary>
    public CheckpointException NoManifest() => new(
        CheckpointErrorCode.ManifestNotFound,
        $"There is no manifest of '{Path}'. Make one with New-CheckpointManifest, or export with -Manifest.",
        Path);

    private static StoredFile? FindSignature(ICheckpointFolder folder) =>
        CheckpointFolder.Look(folder, () => folder.HasFile(ModelSignature.FileName)) ? new StoredFile(folder, ModelSignature.FileName) : null;

    private static LlamaCheckpoint? TryRead(ICheckpointFolder place, CancellationToken cancellationToken)
    {
        try
        {
            return CheckpointReader.Read(place, cancellationToken: cancellationToken);
        }
        catch (CheckpointException)
        {
            return null;
        }
    }
}
