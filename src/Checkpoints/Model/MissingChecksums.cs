namespace Fairseq2Llama.Model;

/// <summary>Says which files of a checkpoint were saved without checksums: all in one sentence, since there may be hundreds.</summary>
internal static class MissingChecksums
{
    /// <returns>A clause without a full stop; null where all files have checksums.</returns>
    public static string? Describe(LlamaCheckpoint checkpoint)
    {
        var files = checkpoint.FilesWithoutChecksums.ToArray();

        return files.Length switch
        {
            0 => null,
            1 => $"'{files[0]}' was saved without checksums, so damage to it can't be noticed",
            _ => $"{files.Length} files of '{checkpoint.Path}' were saved without checksums, so damage to them can't be noticed; '{files[0]}' is the first",
        };
    }
}
