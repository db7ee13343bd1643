using Fairseq2Llama.Conversion;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>
/// The leftovers of killed exports at a destination. Every export cleans up before it writes. If this is done before it is planned,
/// the plan already sees the result of an export that was killed while its files were being put in place.
/// </summary>
public static class ExportLeftovers
{
    /// <summary>Whether there is anything; it can also be of an export that is running.</summary>
    /// <param name="destinationPath">The absolute path of the folder that is exported to.</param>
    /// <param name="shardIndex">The shards that are to be written, as in <see cref="ReferenceExportOptions.ShardIndex"/>.</param>
    public static bool AreAt(string destinationPath, IReadOnlyCollection<int> shardIndex) => AreAt(Destinations.At(destinationPath), shardIndex);

    /// <summary>As for a path, wherever it is.</summary>
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
    /// <param name="path">The absolute path of a folder; it need not exist.</param>
    /// <returns>What happened and what to do, in sentences; null where there is no sign of an export.</returns>
    public static string? Explain(string path) => Destinations.At(path) is { IsUnfinished: true } destination
        ? $"An export to '{destination.Folder.Path}' has not finished. If it was interrupted, run it again to complete or replace it."
        : null;

    /// <summary>Finishes an export that was killed while its files were being put in place, and removes everything else that is left.</summary>
    /// <param name="destinationPath">The absolute path of the folder that is exported to.</param>
    /// <param name="shardIndex">The shards that are to be written, as in <see cref="ReferenceExportOptions.ShardIndex"/>.</param>
    /// <returns>Whether one was finished.</returns>
    /// <exception cref="CheckpointException">It can't be finished.</exception>
    public static bool CleanUp(string destinationPath, IReadOnlyCollection<int> shardIndex)
    {
        var destination = Destinations.At(destinationPath);

        try
        {
            return destination.CleanUp(shardIndex);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw destination.ToError(e, 0);
        }
    }
}
