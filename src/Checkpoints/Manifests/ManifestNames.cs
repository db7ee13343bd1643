using System.Text.RegularExpressions;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Manifests;

/// <summary>The names of the files that vouch for a checkpoint.</summary>
internal static partial class ManifestNames
{
    /// <summary>The name of a manifest in a folder that holds one checkpoint.</summary>
    public const string OfFolder = "checkpoint-manifest.json";

    /// <summary>The name of the manifest of a checkpoint that can have others beside it.</summary>
    /// <param name="stem">The name of its file without number and extension; null for a checkpoint that has a folder.</param>
    public static string For(string? stem) => stem is null ? OfFolder : $"{stem}.{OfFolder}";

    /// <summary>The name of the checkpoint in that of its manifest; null if that is the one of a folder, or has another name.</summary>
    public static string? StemOf(string? name) => name is not null && name != OfFolder && IsOfManifest(name) ? name[..^(OfFolder.Length + 1)] : null;

    public static bool IsOfManifest(string name) =>
        name == OfFolder || (name.EndsWith('.' + OfFolder, StringComparison.Ordinal) && name.Length > OfFolder.Length + 1);

    /// <summary>The manifest of what a path names: a folder, a file of a checkpoint, or the manifest itself.</summary>
    /// <returns>Null if there is none.</returns>
    /// <exception cref="CheckpointException">It can't be looked for.</exception>
    public static StoredFile? Find(ICheckpointFolder place) =>
        CheckpointFolder.Look(place, () => place.Exists ? FindIn(place) : StoredFile.At(place) is { } given ? FindBeside(given) : null);

    /// <summary>Where a folder can't be listed, only a fixed name can be found.</summary>
    private static StoredFile? FindIn(ICheckpointFolder folder) =>
        folder.HasFile(OfFolder) ? new StoredFile(folder, OfFolder)
        : folder.CanList && folder.FileNames.Where(IsOfManifest).ToArray() is [var only] ? new StoredFile(folder, only)
        : null;

    private static StoredFile? FindBeside(StoredFile file) =>
        file.Name.EndsWith(".json", StringComparison.Ordinal) ? file
        : file.Folder.CanList && file.Folder.FileNames.FirstOrDefault(name => IsOfManifest(name) && IsOfFile(name, file.Name)) is { } own ? new StoredFile(file.Folder, own)
        : file.Folder.HasFile(OfFolder) ? new StoredFile(file.Folder, OfFolder)
        : null;

    /// <summary>Whether the one is of the model of the other, and not of one whose name only begins the same.</summary>
    private static bool IsOfFile(string manifest, string file) =>
        manifest != OfFolder && file.StartsWith(manifest[..^(OfFolder.Length + 1)], StringComparison.Ordinal) && RestOfName().IsMatch(file.AsSpan(manifest.Length - OfFolder.Length - 1));

    /// <summary>What follows the name of a model in that of one of its files.</summary>
    [GeneratedRegex(@"\A(-[0-9]{5}-of-[0-9]{5})?\.[^.]+\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex RestOfName();
}
