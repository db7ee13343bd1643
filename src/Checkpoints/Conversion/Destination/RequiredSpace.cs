using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Conversion.Destination;

/// <summary>The room that planned files take on the disk.</summary>
internal static class RequiredSpace
{
    /// <exception cref="CheckpointException">It is not there.</exception>
    public static void Require(string path, IReadOnlyList<PlannedFile> files)
    {
        // Deflated storages are inflated beside the output first, so that they can be read at any place.
        var scratch = files.OfType<PlannedTensorFile>()
            .SelectMany(file => file.Layout.Storages)
            .SelectMany(placed => placed.Storage.Runs)
            .Select(runs => runs.Storage)
            .Distinct()
            .Sum(storage => storage.ScratchLength);

        DiskSpace.Require(path, files.Sum(file => file.Length) + scratch - Shareable(path, files));
    }

    /// <summary>Bytes that take no room, because they can share the blocks of the input.</summary>
    private static long Shareable(string path, IReadOnlyList<PlannedFile> files)
    {
        var mayShare = DiskSpace.MayShareWith(path);

        return files.OfType<PlannedTensorFile>()
            .SelectMany(file => file.Layout.Storages)
            .Where(placed => placed.MayShareBlocks)
            .GroupBy(placed => placed.Storage.UnchangedInput!.Source)
            .Where(group => mayShare(group.Key.Name))
            .Sum(group => group.Sum(placed => placed.Storage.Length));
    }
}
