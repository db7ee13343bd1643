namespace Fairseq2Llama.Fairseq2;

/// <summary>Finds out which files make a checkpoint.</summary>
internal static class CheckpointLayouts
{
    private static readonly ICheckpointLayout[] All = [new SingleFileLayout(), new TensorParallelLayout()];

    /// <param name="path">The absolute path of a folder, or of the one file that holds all of the model.</param>
    /// <exception cref="CheckpointException">There is no checkpoint, or more than one, or a part of it is missing.</exception>
    public static IReadOnlyList<ShardFile> Find(string path)
    {
        if (File.Exists(path))
        {
            return [new ShardFile(path)];
        }

        var found = All.Select(layout => layout.Find(path)).OfType<IReadOnlyList<ShardFile>>().ToArray();

        return found.Length switch
        {
            1 => found[0],
            0 => throw new CheckpointException(
                CheckpointErrorCode.CheckpointUnrecognized,
                HasNativeShards(path)
                    ? $"'{path}' holds the shards that fairseq2 0.5 and newer write (pp_00/tp_00/sdp_00.pt), which this version does not read yet."
                    : $"'{path}' holds no fairseq2 checkpoint: neither '{SingleFileLayout.FileName}' nor 'model.0.pt', 'model.1.pt', …, nor the"
                        + " steps of a training run.",
                path),
            _ => throw new CheckpointException(
                CheckpointErrorCode.ShardMismatch,
                $"'{path}' holds two checkpoints: {string.Join(" beside ", found.Select(NameFiles))}. Move one of them away,"
                + $" or give the path of '{SingleFileLayout.FileName}' itself.",
                path),
        };
    }

    /// <summary>Whether a folder holds a model, complete and readable or not.</summary>
    public static bool HasModel(string folder)
    {
        try
        {
            return HasNativeShards(folder) || All.Any(layout => layout.Find(folder) is not null);
        }
        catch (CheckpointException)
        {
            return true;
        }
    }

    private static bool HasNativeShards(string folder) =>
        new[] { folder, Path.Combine(folder, "model") }.Any(
            parent => Directory.Exists(parent) && Directory.EnumerateDirectories(parent, "pp_*").Any());

    private static string NameFiles(IReadOnlyList<ShardFile> files) =>
        string.Join(", ", files.Select(file => Path.GetFileName(file.Path)));
}
