namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// What a command has written, or would write with -WhatIf. With -Force a second checkpoint piped to the same place would silently replace the
/// first; without, this says it better than that something is there.
/// </summary>
/// <param name="place">The thing that each checkpoint needs, for a message: "a folder".</param>
/// <param name="example">A script block that gives each one its own.</param>
internal sealed class WrittenPaths(string place, string example)
{
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);

    public void Add(string path) => _paths.Add(path);

    /// <exception cref="CheckpointException">It is one of them.</exception>
    public void RequireNew(string path)
    {
        if (_paths.Contains(path))
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{path}' has just been written by this command. Give each checkpoint {place} of its own: -DestinationPath {example}",
                path);
        }
    }
}
