namespace Fairseq2Llama.Stores.Local;

/// <summary>A folder of a local file system. Links are followed, in its path and in it.</summary>
/// <param name="path">An absolute path.</param>
internal sealed class LocalFolder(string path) : ICheckpointFolder
{
    public string Path { get; } = System.IO.Path.TrimEndingDirectorySeparator(path);

    public string Name => System.IO.Path.GetFileName(Path);

    public ICheckpointFolder? Parent => System.IO.Path.GetDirectoryName(Path) is { } parent ? new LocalFolder(parent) : null;

    public bool Exists => Directory.Exists(Path);

    public IEnumerable<string> FileNames => Directory.EnumerateFiles(Path).Select(NameOf);

    public IEnumerable<string> FolderNames => Directory.EnumerateDirectories(Path).Select(NameOf);

    /// <summary>A file that is named by all of its path.</summary>
    public static StoredFile FileAt(string path) => new(new LocalFolder(System.IO.Path.GetDirectoryName(path) ?? path), NameOf(path));

    public bool HasFile(string name) => File.Exists(PathOf(name));

    public bool IsLink(string name) => new FileInfo(PathOf(name)).LinkTarget is not null;

    public ICheckpointFolder Folder(string name) => new LocalFolder(PathOf(name));

    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    public string IdentityOf(string path) => System.IO.Path.IsPathFullyQualified(path) ? RealPath.IdentityOf(path) : path;

    public StringComparer Identities => RealPath.Comparer;

    public string PathWithin(string path) => System.IO.Path.GetRelativePath(Path, path).Replace(System.IO.Path.DirectorySeparatorChar, '/');

    public long LengthOf(string name) => LocalFile.LengthOf(PathOf(name));

    public IByteSource SourceOf(string name) => new LocalFile(PathOf(name));

    private static string NameOf(string path) => System.IO.Path.GetFileName(path);
}
