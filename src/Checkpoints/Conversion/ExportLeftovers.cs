using Fairseq2Llama.Conversion;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>
/// The leftovers of killed exports at a destination. Every export cleans up before it writes. If this is done before it is planned,
/// the plan already sees the result of an export that was killed while its files were being put in place.
/// </summary>
public static class ExportLeftovers
{
    /// <summary>Whether there is anything; it can also be of an export that is running.</summary>
    /// <param name="destination">The address of the folder that is exported to.</param>
    /// <param name="shardIndex">The shards that are to be written, as in <see cref="ExportOptions.ShardIndex"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static bool AreAt(CheckpointAddress destination, IReadOnlyCollection<int> shardIndex, CancellationToken cancellationToken = default) =>
        AreAt(Destinations.At(destination, cancellationToken), shardIndex);

    /// <summary>As for an address, wherever it is.</summary>
    internal static bool AreAt(IExportDestination destination, IReadOnlyCollection<int> shardIndex)
    {
        try
        {
            return destination.HasLeftovers(shardIndex);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An export to it will report why it can't be listed.
            return false;
        }
    }

    /// <summary>
    /// Why there is no complete checkpoint at the destination of an export: the export is running, or was killed and must be finished.
    /// </summary>
    /// <param name="address">The address of a folder; it need not exist.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What happened and what to do, in sentences; null where there is no sign of an export.</returns>
    public static string? Explain(CheckpointAddress address, CancellationToken cancellationToken = default)
    {
        try
        {
            var destination = Destinations.At(address, cancellationToken);

            if (destination.IsUnfinished)
            {
                return $"An export to '{destination.Folder.Path}' has not finished. If it was interrupted, run it again to complete or replace it.";
            }

            return destination.Folder is { Exists: true } folder && folder.FileNames.Count(name => ShardRecord.FileOf(name) is not null) is > 0 and var shards
                ? $"Jobs have exported files to '{destination.Folder.Path}' ({shards} so far). When all jobs are done, run the export once more with -CompleteShards."
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CheckpointException)
        {
            // The error that this is about says more.
            return null;
        }
    }

    /// <summary>Finishes an export that was killed while its files were being put in place, and removes everything else that is left.</summary>
    /// <param name="destination">The address of the folder that is exported to.</param>
    /// <param name="shardIndex">The shards that are to be written, as in <see cref="ExportOptions.ShardIndex"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Whether one was finished.</returns>
    /// <exception cref="CheckpointException">It can't be finished.</exception>
    public static bool CleanUp(CheckpointAddress destination, IReadOnlyCollection<int> shardIndex, CancellationToken cancellationToken = default)
    {
        var place = Destinations.At(destination, cancellationToken);

        try
        {
            return place.CleanUp(shardIndex);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw place.ToError(e, 0);
        }
    }
}
