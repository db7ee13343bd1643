using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama.Stores;

/// <summary>Which folder an address is of.</summary>
internal static class CheckpointFolders
{
    /// <param name="path">An absolute path; there need not be anything.</param>
    public static ICheckpointFolder At(string path) => new LocalFolder(path);
}
