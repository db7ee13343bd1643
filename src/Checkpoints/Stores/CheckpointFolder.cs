namespace Fairseq2Llama.Stores;

/// <summary>A folder that a checkpoint of several files with fixed names should be in.</summary>
internal static class CheckpointFolder
{
    /// <exception cref="CheckpointException">It is not there, or is a file.</exception>
    public static void Require(ICheckpointFolder folder)
    {
        if (folder.Exists)
        {
            return;
        }

        throw StoredFile.At(folder) is null
            ? new CheckpointException(
                CheckpointErrorCode.CheckpointNotFound, $"There is no folder '{folder.Path}'. Check the spelling of the path.", folder.Path)
            : Unrecognized(folder.Path, "is a file. Give the folder that contains it.");
    }

    /// <summary>The error for a folder that holds something else.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="what">Its kind or content, and what was expected; follows the path.</param>
    public static CheckpointException Unrecognized(string path, string what) =>
        new(CheckpointErrorCode.CheckpointUnrecognized, $"'{path}' {what}", path);

    /// <summary>Looks into a folder.</summary>
    /// <exception cref="CheckpointException">That is not allowed, or fails.</exception>
    public static T Look<T>(ICheckpointFolder folder, Func<T> look)
    {
        try
        {
            return look();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(CheckpointErrorCode.ReadFailed, $"'{folder.Path}' can't be read: {e.Message}", folder.Path, e);
        }
    }
}
