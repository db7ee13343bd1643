using Fairseq2Llama.Manifests;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Attestation;

/// <summary>All that is below a folder, as a signature has it.</summary>
internal sealed class FolderContent
{
    private readonly Func<string, bool> _isIgnored;
    private readonly HashSet<string> _known;
    private readonly List<CheckpointContent> _files = [];
    private readonly List<string> _links = [];

    private FolderContent(ICheckpointFolder folder, Func<string, bool> isIgnored)
    {
        _isIgnored = isIgnored;
        _known = new HashSet<string>(folder.Identities);
        Add(folder, "");
    }

    /// <summary>The files.</summary>
    public IReadOnlyList<CheckpointContent> Files => _files;

    /// <summary>The paths of symbolic links, with slashes: of files, and of folders, which are followed.</summary>
    public IReadOnlyList<string> Links => _links;

    /// <param name="folder">The folder.</param>
    /// <param name="isIgnored">Whether a file or folder is left out, by its path with slashes.</param>
    /// <exception cref="CheckpointException">A link leads to a folder that is in it already.</exception>
    public static FolderContent Of(ICheckpointFolder folder, Func<string, bool> isIgnored) => CheckpointFolder.Look(folder, () => new FolderContent(folder, isIgnored));

    private void Add(ICheckpointFolder folder, string path)
    {
        // A few links that lead back would make it a folder without an end.
        if (!_known.Add(folder.IdentityOf(folder.Path)))
        {
            throw new CheckpointException(
                CheckpointErrorCode.SignatureInvalid, $"'{folder.Path}' is a link to a folder that the signature is of already. Remove the link.", folder.Path);
        }

        foreach (var name in Select(folder.FileNames, path))
        {
            AddIfLink(folder, name, path);
            _files.Add(new CheckpointContent(path + name, new StoredFile(folder, name)));
        }

        foreach (var name in Select(folder.FolderNames, path))
        {
            AddIfLink(folder, name, path);
            Add(folder.Folder(name), $"{path}{name}/");
        }
    }

    private IEnumerable<string> Select(IEnumerable<string> names, string path) => names.Where(name => !_isIgnored(path + name)).Order(StringComparer.Ordinal);

    private void AddIfLink(ICheckpointFolder folder, string name, string path)
    {
        if (folder.IsLink(name))
        {
            _links.Add(path + name);
        }
    }
}
