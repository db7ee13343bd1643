using System.Globalization;
using System.Text.RegularExpressions;

namespace Fairseq2Llama.Gguf;

/// <summary>
/// How GGUF files are called: NAME.gguf, or NAME-00001-of-00003.gguf and so on where a model is split (llama.cpp's llama_split_path and gguf-py's
/// SHARD_NAME_FORMAT).
/// </summary>
/// <param name="Stem">The name of the model.</param>
/// <param name="Number">From 1.</param>
/// <param name="Count">How many files there are; 1 for a name without numbers.</param>
internal sealed partial record GgufFileName(string Stem, int Number, int Count)
{
    /// <summary>The name of the file.</summary>
    public string Text => Count == 1 ? Stem + GgufFile.Extension : string.Create(CultureInfo.InvariantCulture, $"{Stem}-{Number:00000}-of-{Count:00000}{GgufFile.Extension}");

    /// <summary>All files of the model.</summary>
    public IEnumerable<GgufFileName> All => Enumerable.Range(1, Count).Select(number => this with { Number = number });

    /// <returns>Null if it is no such name.</returns>
    public static GgufFileName? Parse(string fileName)
    {
        if (!fileName.EndsWith(GgufFile.Extension, StringComparison.OrdinalIgnoreCase) || fileName.Length == GgufFile.Extension.Length)
        {
            return null;
        }

        return Split().Match(fileName) is { Success: true } match && ToInt(match, "number") is var number && ToInt(match, "count") is > 1 and var count && number >= 1 && number <= count
            ? new GgufFileName(match.Groups["stem"].Value, number, count)
            : new GgufFileName(fileName[..^GgufFile.Extension.Length], 1, 1);
    }

    private static int ToInt(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<stem>.+)-(?<number>[0-9]{5})-of-(?<count>[0-9]{5})\.gguf\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Split();
}
