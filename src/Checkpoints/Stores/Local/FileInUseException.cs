namespace Fairseq2Llama.Stores.Local;

/// <summary>Another program has a file open, and does not let it be changed.</summary>
/// <param name="path">The file.</param>
/// <param name="cause">What Windows said.</param>
internal sealed class FileInUseException(string path, Exception cause) : IOException($"'{path}' is open in another program.", cause)
{
    /// <summary>The file.</summary>
    public string Path => path;
}
