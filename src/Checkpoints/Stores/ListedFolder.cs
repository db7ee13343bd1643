namespace Fairseq2Llama.Stores;

/// <summary>
/// A folder as a list of files shows it. It tells names only: no request is made, and the list need not have all files that are in the store.
/// </summary>
internal sealed class ListedFolder : ICheckpointFolder
{
    private readonly Dictionary<string, ListedFolder> _folders = new(StringComparer.Ordinal);
    private readonly HashSet<string> _files = new(StringComparer.Ordinal);

    /// <param name="path">Its path.</param>
    /// <param name="parent">The folder around it.</param>
    /// <param name="first">The place in the list of the first file below it.</param>
    public ListedFolder(string path, ListedFolder? parent, int first)
    {
        Path = path;
        Parent = parent;
        First = first;
    }

    public string Path { get; }

    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    public ICheckpointFolder? Parent { get; }

    /// <summary>The place in the list of the first file below it.</summary>
    public int First { get; }

    public bool Exists => _files.Count > 0 || _folders.Count > 0;

    public IEnumerable<string> FileNames => _files;

    public IEnumerable<string> FolderNames => _folders.Keys;

    /// <summary>The folders in it.</summary>
    public IEnumerable<ListedFolder> Folders => _folders.Values;

    public StringComparer Identities => StringComparer.Ordinal;

    /// <summary>Adds a file.</summary>
    /// <param name="names">Its path below this folder, name by name.</param>
    /// <param name="index">Its place in the list.</param>
    public void Add(ReadOnlySpan<string> names, int index)
    {
        var folder = this;

        foreach (var name in names[..^1])
        {
            if (!folder._folders.TryGetValue(name, out var next))
            {
                next = folder._folders[name] = new ListedFolder(folder.PathOf(name), folder, index);
            }

            folder = next;
        }

        folder._files.Add(names[^1]);
    }

    public bool HasFile(string name) => _files.Contains(name);

    public ICheckpointFolder Folder(string name) => _folders.GetValueOrDefault(name) ?? new ListedFolder(PathOf(name), this, First);

    public string PathOf(string name) => $"{Path}/{name}";

    public string IdentityOf(string path) => path;

    public string PathWithin(string path) => path.StartsWith(Path + '/', StringComparison.Ordinal) ? path[(Path.Length + 1)..] : path;

    public long LengthOf(string name) => throw new NotSupportedException();

    public IByteSource SourceOf(string name) => throw new NotSupportedException();
}
