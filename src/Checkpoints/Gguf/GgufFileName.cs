using System.Globalization;
using System.Text.RegularExpressions;
using Fairseq2Llama.Planning;

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
    /// <summary>The name of the file, with its words in upper or lower case as they were.</summary>
    public string Text => Count == 1 ? Stem + Extension : string.Create(CultureInfo.InvariantCulture, $"{Stem}-{Number:00000}-{Of}-{Count:00000}{Extension}");

    private string Of { get; init; } = "of";

    private string Extension { get; init; } = GgufFile.Extension;

    /// <summary>All files of the model.</summary>
    public IEnumerable<GgufFileName> All => Enumerable.Range(1, Count).Select(number => this with { Number = number });

    /// <returns>Null if it is no such name.</returns>
    public static GgufFileName? Parse(string fileName)
    {
        // What a job writes of a file has its name at the end of its own.
        if (!fileName.EndsWith(GgufFile.Extension, StringComparison.OrdinalIgnoreCase) || fileName.Length == GgufFile.Extension.Length || ShardRecord.FileOf(fileName) is not null)
        {
            return null;
        }

        var extension = fileName[^GgufFile.Extension.Length..];

        return Split().Match(fileName) is { Success: true } match && ToInt(match, "number") is var number && ToInt(match, "count") is > 1 and var count && number >= 1 && number <= count
            ? new GgufFileName(match.Groups["stem"].Value, number, count) { Of = match.Groups["of"].Value, Extension = extension }
            : new GgufFileName(fileName[..^extension.Length], 1, 1) { Extension = extension };
    }

    private static int ToInt(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<stem>.+)-(?<number>[0-9]{5})-(?<of>of)-(?<count>[0-9]{5})\.gguf\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Split();
}
