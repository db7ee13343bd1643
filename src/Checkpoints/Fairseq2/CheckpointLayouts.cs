using Fairseq2Llama.Model;

namespace Fairseq2Llama.Fairseq2;

/// <summary>Finds out which files make a checkpoint.</summary>
internal static class CheckpointLayouts
{
    private static readonly ICheckpointLayout[] All =
    [
        new SingleFileLayout(), new TensorParallelLayout(), new ShardFolderLayout(), new NativeShardLayout(), .. NativeShardLayout.Shorter,
    ];

    /// <param name="path">The absolute path of a folder, or of the one file that holds all of the model.</param>
    /// <exception cref="CheckpointException">There is no checkpoint, more than one, or only a part of one.</exception>
    public static CheckpointFiles Find(string path)
    {
        CheckpointFiles[] found = File.Exists(path) ? [new CheckpointFiles([new ShardFile(path, default)], _ => path, [])] : [.. FindAll(path)];

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
                $"'{path}' holds two checkpoints: {string.Join(" beside ", found.Select(files => NameFiles(path, files)))}. Move one of them away.",
                path),
        };
    }

    /// <summary>Whether a folder holds files of a model, complete and readable or not.</summary>
    public static bool HasModel(string folder) => FindAll(folder).Any();

    /// <summary>Whether a folder holds files of a model that is not in one file.</summary>
    public static bool HasDividedModel(string folder) => All.Any(layout => layout is not SingleFileLayout && layout.Find(folder) is not null);

    private static IEnumerable<CheckpointFiles> FindAll(string folder) => All.Select(layout => layout.Find(folder)).OfType<CheckpointFiles>();

    /// <summary>One of several shards is no model, nor is one of several ranks, and what they lack would only be found out by their shapes.</summary>
    private static CheckpointFiles RequireWhole(string path, CheckpointFiles found)
    {
        var file = found.Shards[0].Path;

        foreach (var folder in new[] { ShardFolderLayout.RootOf(file), NativeShardLayout.RootOf(file), Path.GetDirectoryName(file) }.OfType<string>())
        {
            if (FindBeside(folder).FirstOrDefault(files => files.Shards.Any(shard => shard.Path == file)) is { } files
                && files.Shards.Length + files.Missing.Length > found.Shards.Length + found.Missing.Length)
            {
                throw new CheckpointException(
                    CheckpointErrorCode.MissingShard, $"'{path}' is only a part of the checkpoint '{folder}'. Give the path of that folder.", path);
            }
        }

        return found;
    }

    private static CheckpointFiles[] FindBeside(string folder)
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

    private static string NameFiles(string folder, CheckpointFiles files)
    {
        const int Shown = 3;

        var names = files.Shards.Select(shard => Path.GetRelativePath(folder, shard.Path)).Take(Shown);
        return string.Join(", ", files.Shards.Length > Shown ? names.Append("…") : names);
    }
}
