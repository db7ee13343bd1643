namespace Fairseq2Llama.Tests.Support;

/// <summary>A folder that goes away with the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public TempFolder(string name = "out") => Path = Directory.CreateDirectory(System.IO.Path.Combine(Parent, name)).FullName;

    public string Path { get; }

    private string Parent { get; } = Directory.CreateTempSubdirectory("fairseq2llama-tests-").FullName;

    public string this[string relativePath] => System.IO.Path.Combine(Path, relativePath);

    /// <summary>Everything in it, by relative path, hidden or not.</summary>
    public IReadOnlyList<string> Content =>
        [.. Directory.EnumerateFileSystemEntries(Path, "*", SearchOption.AllDirectories)
            .Select(entry => System.IO.Path.GetRelativePath(Path, entry))
            .Order(StringComparer.Ordinal)];

    /// <summary>Lets other users look into it, which they may not otherwise.</summary>
    public void OpenToAll()
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Parent, File.GetUnixFileMode(Parent) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }
    }

    public void Dispose() => Directory.Delete(Parent, recursive: true);
}
