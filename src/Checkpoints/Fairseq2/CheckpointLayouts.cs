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

        if (!Directory.Exists(path))
        {
            throw new CheckpointException(
                CheckpointErrorCode.CheckpointNotFound, $"There is no file or folder '{path}'. Check the spelling of the path.", path);
        }

        var found = FindAll(path);

        return found.Count switch
        {
            1 => found[0],
            0 => throw new CheckpointException(
                CheckpointErrorCode.CheckpointUnrecognized, $"'{path}' {DescribeFolder(path)}.", path),
            _ => throw new CheckpointException(
                CheckpointErrorCode.ShardMismatch,
                $"'{path}' holds two checkpoints: {string.Join(" beside ", found.Select(NameFiles))}. Move one of them away,"
                + $" or give the path of '{SingleFileLayout.FileName}' itself.",
                path),
        };
    }

    private static List<IReadOnlyList<ShardFile>> FindAll(string folder)
    {
        try
        {
            return [.. All.Select(layout => layout.Find(folder)).OfType<IReadOnlyList<ShardFile>>()];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(CheckpointErrorCode.ReadFailed, $"'{folder}' can't be read: {e.Message}", folder, e);
        }
    }

    /// <summary>What to do about a folder without a checkpoint depends on what else is in it.</summary>
    private static string DescribeFolder(string folder)
    {
        if (Directory.EnumerateDirectories(folder, "pp_*").Any() || Directory.Exists(Path.Combine(folder, "model", "pp_00")))
        {
            return "holds the shards that fairseq2 0.5 and newer write (pp_00/tp_00/sdp_00.pt), which this version does not read yet";
        }

        if (Directory.EnumerateDirectories(folder, "step_*").Any() || Directory.Exists(Path.Combine(folder, "checkpoints")))
        {
            return "is a training run; give the folder of one of its steps, such as 'checkpoints/step_1000'";
        }

        return $"holds no fairseq2 checkpoint: neither '{SingleFileLayout.FileName}' nor 'model.0.pt', 'model.1.pt', …";
    }

    private static string NameFiles(IReadOnlyList<ShardFile> files) =>
        string.Join(", ", files.Select(file => Path.GetFileName(file.Path)));
}
