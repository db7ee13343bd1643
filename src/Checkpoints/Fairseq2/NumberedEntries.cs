using System.Globalization;
using System.Text.RegularExpressions;

namespace Fairseq2Llama.Fairseq2;

/// <summary>Files or folders that bear a rank in their name.</summary>
internal static class NumberedEntries
{
    /// <param name="folder">Where to look; it need not exist.</param>
    /// <param name="enumerate">Lists files, or folders.</param>
    /// <param name="name">Matches the name of one; the first group is its number.</param>
    public static IEnumerable<(string Path, int Number)> In(string folder, Func<string, IEnumerable<string>> enumerate, Regex name) =>
        from path in Directory.Exists(folder) ? enumerate(folder) : []
        let match = name.Match(Path.GetFileName(path))
        where match.Success
        select (path, int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
}
