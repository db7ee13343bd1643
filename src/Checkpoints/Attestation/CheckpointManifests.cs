using System.Collections.Immutable;
using Fairseq2Llama.Attestation;
using Fairseq2Llama.Manifests;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>How to make a manifest.</summary>
public sealed record ManifestOptions
{
    /// <summary>How the store is accessed that the checkpoint is in.</summary>
    public StoreAccess Access { get; init; } = StoreAccess.Default;

    /// <summary>Who signs; null for no signature.</summary>
    public CheckpointSigner? Signer { get; init; }

    /// <summary>Whether a manifest and a signature that are there are replaced.</summary>
    public bool Force { get; init; }
}

/// <summary>Reads manifests, and makes them of checkpoints.</summary>
public static class CheckpointManifests
{
    /// <summary>Reads a manifest.</summary>
    /// <param name="address">The address of the manifest, or of a checkpoint that has one.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is none, or it is invalid.</exception>
    public static CheckpointManifest Read(CheckpointAddress address, CancellationToken cancellationToken = default)
    {
        var found = AttestedFiles.Find(CheckpointFolders.At(address, cancellationToken), cancellationToken);
        return ManifestReader.Read((found.Manifest ?? throw found.NoManifest()).Source);
    }

    /// <summary>Whether a path or address is that of a manifest, by its name.</summary>
    public static bool IsManifest(CheckpointAddress address) => ManifestNames.IsOfManifest(address.Name);

    /// <summary>The files that <see cref="Create"/> writes.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="options">How.</param>
    /// <exception cref="CheckpointException">One is there already, and may not be replaced.</exception>
    public static ImmutableArray<string> PathsFor(LlamaCheckpoint checkpoint, ManifestOptions options) => [.. NewManifest.NamesFor(checkpoint, options).Select(checkpoint.Folder.PathOf)];

    /// <summary>
    /// Makes a manifest of a checkpoint, and writes it beside the checkpoint. If one is there and a signature is asked for, the files are compared with it, and it is signed.
    /// </summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told how far it is, on the calling thread.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">The checkpoint is damaged; a manifest is there already; or it can't be written.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static CheckpointManifest Create(
        LlamaCheckpoint checkpoint, ManifestOptions options, IProgress<ByteProgress>? progress = null, CancellationToken cancellationToken = default) =>
        new NewManifest(checkpoint, options, progress, cancellationToken).Write();
}
