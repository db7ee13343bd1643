namespace Fairseq2Llama.Tests.Support;

/// <summary>A folder that comes when it is first asked for and goes away with the test.</summary>
internal sealed class TempFolder : IDisposable
{
    private readonly Lazy<string> _parent = new(() => Directory.CreateTempSubdirectory("fairseq2llama-tests-").FullName);
    private readonly Lazy<string> _path;

    public TempFolder(string name = "out") => _path = new(() => Directory.CreateDirectory(System.IO.Path.Combine(_parent.Value, name)).FullName);

    public string Path => _path.Value;

    /// <summary>A path in it, as this system writes it.</summary>
    /// <param name="relativePath">The rest of it, with slashes.</param>
    public string this[string relativePath] => System.IO.Path.Combine(Path, relativePath.Replace('/', System.IO.Path.DirectorySeparatorChar));

    /// <summary>Everything in it, by relative path with slashes, hidden or not.</summary>
    public IReadOnlyList<string> Content =>
        [.. Directory.EnumerateFileSystemEntries(Path, "*", SearchOption.AllDirectories)
            .Select(entry => System.IO.Path.GetRelativePath(Path, entry).Replace(System.IO.Path.DirectorySeparatorChar, '/'))
            .Order(StringComparer.Ordinal)];

    /// <summary>Lets other users look into it, which they may not otherwise.</summary>
    public void OpenToAll()
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_parent.Value, File.GetUnixFileMode(_parent.Value) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }
    }

    public void Dispose()
    {
        if (_parent.IsValueCreated)
        {
            Directory.Delete(_parent.Value, recursive: true);
        }
    }
}
