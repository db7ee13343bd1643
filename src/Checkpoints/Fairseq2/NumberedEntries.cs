using System.Globalization;
using System.Text.RegularExpressions;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>Files or folders that bear a rank in their name.</summary>
internal static class NumberedEntries
{
    /// <param name="folder">Where to look; it need not exist.</param>
    /// <param name="name">Matches the name of one; the first group is its number.</param>
    public static IEnumerable<(StoredFile File, int Number)> Files(ICheckpointFolder folder, Regex name) =>
        from entry in In(folder, folder => folder.FileNames, name) select (new StoredFile(folder, entry.Name), entry.Number);

    /// <param name="folder">Where to look; it need not exist.</param>
    /// <param name="name">Matches the name of one; the first group is its number.</param>
    public static IEnumerable<(ICheckpointFolder Folder, int Number)> Folders(ICheckpointFolder folder, Regex name) =>
        from entry in In(folder, folder => folder.FolderNames, name) select (folder.Folder(entry.Name), entry.Number);

    private static IEnumerable<(string Name, int Number)> In(ICheckpointFolder folder, Func<ICheckpointFolder, IEnumerable<string>> list, Regex name) =>
        from entry in folder.Exists ? list(folder) : []
        let match = name.Match(entry)
        where match.Success
        select (entry, int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
}
