using Fairseq2Llama.Attestation;
using Fairseq2Llama.Manifests;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>Tests whether a checkpoint is what its manifest and its signature say.</summary>
public static class ManifestTest
{
    /// <summary>Tests the checkpoint at an address. It need not be readable as a checkpoint.</summary>
    /// <param name="address">The address of the checkpoint's folder, or of one of its files, or of the manifest.</param>
    /// <param name="options">How to test.</param>
    /// <param name="progress">Told how far it is, on the calling thread.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is no manifest, or it is invalid.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static ManifestTestResult Run(
        CheckpointAddress address, ManifestTestOptions options, IProgress<ByteProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Run(AttestedFiles.Find(CheckpointFolders.At(address, cancellationToken), cancellationToken), options, progress, cancellationToken);

    /// <summary>Tests a checkpoint.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="options">How to test.</param>
    /// <param name="progress">Told how far it is, on the calling thread.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is no manifest, or it is invalid.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static ManifestTestResult Run(
        LlamaCheckpoint checkpoint, ManifestTestOptions options, IProgress<ByteProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Run(AttestedFiles.Of(checkpoint), options, progress, cancellationToken);

    private static ManifestTestResult Run(AttestedFiles files, ManifestTestOptions options, IProgress<ByteProgress>? progress, CancellationToken cancellationToken)
    {
        var manifest = options.ManifestPath is { } path ? CheckpointManifests.Read(path, cancellationToken)
            : files.Manifest is { } file ? ManifestReader.Read(file.Source)
            : null;

        return manifest is null && (options.Trust is null || files.Signature is null)
            ? throw files.NoManifest()
            : new AttestationCheck(files, manifest, options, progress, cancellationToken).Run();
    }
}
