using Fairseq2Llama.Llama;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Manifests;

/// <summary>A file of a checkpoint, or one beside it.</summary>
/// <param name="Name">Its path within the folder of the checkpoint, with slashes.</param>
/// <param name="Stored">The file.</param>
internal sealed record CheckpointContent(string Name, StoredFile Stored)
{
    /// <summary>Small files, such as the one that describes the model, cost nothing to read.</summary>
    private const int MaxHashed = 1 << 20;

    /// <summary>
    /// The files that a checkpoint is read from: those with weights, and the one that describes its architecture, which can be in another folder. An export also counts its manifest among
    /// its files.
    /// </summary>
    public static IEnumerable<CheckpointContent> FilesOf(LlamaCheckpoint checkpoint)
    {
        foreach (var name in checkpoint.Files.Select(checkpoint.PathWithin).Where(name => !ManifestNames.IsOfManifest(name)))
        {
            yield return new CheckpointContent(name, StoredFile.Below(checkpoint.Folder, name));
        }

        if (checkpoint.ArchitectureFile is { } file && !checkpoint.Files.Contains(file.Path) && FindAbove(checkpoint.Folder, file) is { } config)
        {
            yield return new CheckpointContent(config.Name, config);
        }
    }

    /// <summary>All files that a manifest of a checkpoint has: its own and, if the folder is the checkpoint, the others directly in it, such as those of a tokenizer.</summary>
    public static IEnumerable<CheckpointContent> AllOf(LlamaCheckpoint checkpoint)
    {
        CheckpointContent[] own = [.. FilesOf(checkpoint).Where(file => file.Name.Contains('/') || file.Stored.Folder.Path == checkpoint.Folder.Path)];
        var known = own.Select(file => file.Name).ToHashSet(StringComparer.Ordinal);

        return checkpoint.Stem is null && checkpoint.Folder.CanList
            ? own.Concat(
                from name in checkpoint.Folder.FileNames.Order(StringComparer.Ordinal)
                where !known.Contains(name) && IsBeside(name)
                select new CheckpointContent(name, new StoredFile(checkpoint.Folder, name)))
            : own;
    }

    /// <summary>Whether a manifest of a folder has a file of that name, if there is one: neither what vouches for it, nor what is hidden.</summary>
    public static bool IsBeside(string name) => !name.StartsWith('.') && !ManifestNames.IsOfManifest(name) && name != ModelSignature.FileName;

    /// <summary>What is known of it without reading all of it.</summary>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public ManifestFile DescribeInput()
    {
        var source = Stored.Source;
        return new ManifestFile(Name, source.Length, source.Length <= MaxHashed ? HexDigest.Of(WholeFile.Read(source)) : null) { ETag = source.ETag };
    }

    private static StoredFile? FindAbove(ICheckpointFolder folder, ArchitectureFile file)
    {
        for (var place = folder; place is not null; place = place.Parent)
        {
            if (place.PathOf(file.Name) == file.Path)
            {
                return new StoredFile(place, file.Name);
            }
        }

        return null;
    }
}
