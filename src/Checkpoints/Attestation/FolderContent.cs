using Fairseq2Llama.Manifests;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Attestation;

/// <summary>All files below a folder, as a signature has them.</summary>
internal static class FolderContent
{
    /// <param name="folder">The folder.</param>
    /// <param name="isIgnored">Whether a file or folder is left out, by its path with slashes.</param>
    /// <exception cref="CheckpointException">A link leads to a folder that is in it already.</exception>
    public static IEnumerable<CheckpointContent> Of(ICheckpointFolder folder, Func<string, bool> isIgnored) => Of(folder, "", isIgnored, new HashSet<string>(folder.Identities));

    /// <summary>Whether a file in it, or a folder, is a symbolic link.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="isIgnored">As for <see cref="Of(ICheckpointFolder, Func{string, bool})"/>.</param>
    public static bool HasLinks(ICheckpointFolder folder, Func<string, bool> isIgnored) => HasLinks(folder, "", isIgnored);

    private static bool HasLinks(ICheckpointFolder folder, string path, Func<string, bool> isIgnored) =>
        folder.FileNames.Concat(folder.FolderNames).Any(name => !isIgnored(path + name) && folder.IsLink(name))
        || folder.FolderNames.Any(name => !isIgnored(path + name) && HasLinks(folder.Folder(name), $"{path}{name}/", isIgnored));

    private static IEnumerable<CheckpointContent> Of(ICheckpointFolder folder, string path, Func<string, bool> isIgnored, HashSet<string> known)
    {
        // A few links that lead back would make it a folder without an end.
        if (!known.Add(folder.IdentityOf(folder.Path)))
        {
            throw new CheckpointException(
                CheckpointErrorCode.SignatureInvalid, $"'{folder.Path}' is a link to a folder that the signature is of already. Remove the link.", folder.Path);
        }

        foreach (var name in folder.FileNames.Order(StringComparer.Ordinal).Where(name => !isIgnored(path + name)))
        {
            yield return new CheckpointContent(path + name, new StoredFile(folder, name));
        }

        foreach (var name in folder.FolderNames.Order(StringComparer.Ordinal).Where(name => !isIgnored(path + name)))
        {
            foreach (var file in Of(folder.Folder(name), $"{path}{name}/", isIgnored, known))
            {
                yield return file;
            }
        }
    }
}
