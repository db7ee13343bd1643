using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>Finds out which files make a checkpoint.</summary>
internal static class CheckpointLayouts
{
    private static readonly ICheckpointLayout[] All =
    [
        new SingleFileLayout(), new TensorParallelLayout(), new ShardFolderLayout(), new NativeShardLayout(), .. NativeShardLayout.Shorter,
    ];

    /// <param name="place">A folder, or the one file that holds all of the model.</param>
    /// <exception cref="CheckpointException">There is no checkpoint, more than one, or only a part of one.</exception>
    public static CheckpointFiles Find(ICheckpointFolder place)
    {
        var path = place.Path;
        CheckpointFiles[] found = !place.Exists && StoredFile.At(place) is { } file
            ? [new CheckpointFiles([new ShardFile(file, default)], _ => path, [])]
            : [.. FindAll(place)];

        return found.Length switch
        {
            1 => RequireWhole(path, found[0]),
            0 => throw new CheckpointException(
                CheckpointErrorCode.CheckpointUnrecognized,
                $"'{path}' holds no fairseq2 checkpoint: neither '{SingleFileLayout.FileName}' nor 'model.0.pt', 'model.1.pt', …, nor 'model.pt/shard.00.pt', …,"
                    + $" nor 'model/pp_00/tp_00/sdp_00.pt', 'model/tp_00.pt', 'model/sdp_00.pt', …, nor the steps of a training run.",
                path),
            _ => throw new CheckpointException(
                CheckpointErrorCode.ShardMismatch,
                $"'{path}' holds two checkpoints: {string.Join(" beside ", found.Select(files => NameFiles(place, files)))}. Move one of them away.",
                path),
        };
    }

    /// <summary>Whether a folder holds files of a model, complete and readable or not.</summary>
    public static bool HasModel(ICheckpointFolder folder) => FindAll(folder).Any();

    /// <summary>Whether a folder holds files of a model that is not in one file.</summary>
    public static bool HasDividedModel(ICheckpointFolder folder) => All.Any(layout => layout is not SingleFileLayout && layout.Find(folder) is not null);

    private static IEnumerable<CheckpointFiles> FindAll(ICheckpointFolder folder) => All.Select(layout => layout.Find(folder)).OfType<CheckpointFiles>();

    /// <summary>One of several shards or ranks is not a whole model, and only the shapes would show what it lacks.</summary>
    private static CheckpointFiles RequireWhole(string path, CheckpointFiles found)
    {
        var file = found.Shards[0].File;

        foreach (var folder in new[] { ShardFolderLayout.RootOf(file), NativeShardLayout.RootOf(file), file.Folder }.OfType<ICheckpointFolder>())
        {
            if (FindBeside(folder).FirstOrDefault(files => files.Shards.Any(shard => shard.Path == file.Path)) is { } files
                && files.Shards.Length + files.Missing.Length > found.Shards.Length + found.Missing.Length)
            {
                throw new CheckpointException(
                    CheckpointErrorCode.MissingShard, $"'{path}' is only a part of the checkpoint '{folder.Path}'. Give the path of that folder.", path);
            }
        }

        return found;
    }

    private static CheckpointFiles[] FindBeside(ICheckpointFolder folder)
    {
        try
        {
            return [.. FindAll(folder)];
        }
        catch (UnauthorizedAccessException)
        {
            // A file can be read where its folder can't be listed.
            return [];
        }
    }

    private static string NameFiles(ICheckpointFolder folder, CheckpointFiles files)
    {
        const int Shown = 3;

        var names = files.Shards.Select(shard => folder.PathWithin(shard.Path)).Take(Shown);
        return string.Join(", ", files.Shards.Length > Shown ? names.Append("…") : names);
    }
}
