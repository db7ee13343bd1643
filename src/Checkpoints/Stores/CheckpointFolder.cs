namespace Fairseq2Llama.Stores;

/// <summary>A folder that a checkpoint of several files with fixed names should be in.</summary>
internal static class CheckpointFolder
{
    /// <exception cref="CheckpointException">It is not there, or is a file.</exception>
    public static void Require(string path)
    {
        if (File.Exists(path))
        {
            throw Unrecognized(path, "is a file. Give the folder that it is in.");
        }

        if (!Directory.Exists(path))
        {
            throw new CheckpointException(
                CheckpointErrorCode.CheckpointNotFound, $"There is no folder '{path}'. Check the spelling of the path.", path);
        }
    }

    /// <summary>The error for a folder that holds something else.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="what">What it is or holds, and what was expected; follows the path.</param>
    public static CheckpointException Unrecognized(string path, string what) =>
        new(CheckpointErrorCode.CheckpointUnrecognized, $"'{path}' {what}", path);
}
