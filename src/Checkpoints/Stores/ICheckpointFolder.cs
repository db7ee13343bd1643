namespace Fairseq2Llama.Stores;

/// <summary>
/// A folder in any store that may hold a checkpoint. Like a source, it is an address and need not exist. The path that a user names can also
/// be a file, which the parent folder knows.
/// </summary>
/// <remarks>
/// Members that look at the folder throw <see cref="UnauthorizedAccessException"/> if that isn't allowed and <see cref="IOException"/> if it fails,
/// as for local folders. The caller decides what either means for the checkpoint.
/// </remarks>
internal interface ICheckpointFolder
{
    /// <summary>Its name in messages: an absolute path, or an address without secrets.</summary>
    string Path { get; }

    /// <summary>The last part of its path.</summary>
    string Name { get; }

    /// <summary>The folder around it; null where there is none.</summary>
    ICheckpointFolder? Parent { get; }

    /// <summary>Whether there is such a folder.</summary>
    bool Exists { get; }

    /// <summary>Whether it says what is in it. A web server may not, and then files have to be asked for by their names.</summary>
    bool CanList => true;

    /// <summary>The names of the files in it, in any order.</summary>
    IEnumerable<string> FileNames { get; }

    /// <summary>The names of the folders in it, in any order.</summary>
    IEnumerable<string> FolderNames { get; }

    /// <summary>Whether there is a file of that name in it.</summary>
    bool HasFile(string name);

    /// <summary>Whether a file or folder in it is a symbolic link, which leads elsewhere.</summary>
    bool IsLink(string name) => false;

    /// <summary>A folder in it, whether there is one or not.</summary>
    ICheckpointFolder Folder(string name);

    /// <summary>The path of the entry of that name, whether it exists or not.</summary>
    string PathOf(string name);

    /// <summary>The same for all paths that lead to one file, to be compared by <see cref="Identities"/>.</summary>
    /// <param name="path">As those of files in such folders; the end of it need not exist.</param>
    string IdentityOf(string path);

    /// <summary>How identities, and names of files, are compared.</summary>
    StringComparer Identities { get; }

    /// <summary>A path below its own, relative to it, with slashes on every system.</summary>
    string PathWithin(string path);

    /// <summary>Bytes of a file; 0 where there is none, or something that has no length.</summary>
    long LengthOf(string name);

    /// <summary>A file, as it is now.</summary>
    /// <exception cref="CheckpointException">There is none.</exception>
    IByteSource SourceOf(string name);
}

/// <summary>A name in a folder, of a file that may be there or not.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Name">The name.</param>
internal sealed record StoredFile(ICheckpointFolder Folder, string Name)
{
    public string Path => Folder.PathOf(Name);

    public bool Exists => Folder.HasFile(Name);

    /// <summary>Bytes; 0 where there is none. Pipes and devices have none either, and opening one could wait for ever.</summary>
    public long Length => Folder.LengthOf(Name);

    /// <summary>The file, as it is now.</summary>
    /// <exception cref="CheckpointException">There is none.</exception>
    public IByteSource Source => Folder.SourceOf(Name);

    /// <summary>A file below a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="path">Relative to it, with slashes.</param>
    public static StoredFile Below(ICheckpointFolder folder, string path)
    {
        var names = path.Split('/');
        return new StoredFile(names.SkipLast(1).Aggregate(folder, (parent, name) => parent.Folder(name)), names[^1]);
    }

    /// <summary>The file at a path that was given as a folder.</summary>
    public static StoredFile? At(ICheckpointFolder place) =>
        place.Parent is { } parent && parent.HasFile(place.Name) ? new StoredFile(parent, place.Name) : null;

    /// <summary>Whether a name that was read from a file can only be a file name, not a path that leads elsewhere.</summary>
    public static bool IsName(string text) => text is not ("" or "." or "..") && !text.Contains('\\') && System.IO.Path.GetFileName(text) == text;
}
