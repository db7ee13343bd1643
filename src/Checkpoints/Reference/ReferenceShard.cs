using System.Globalization;
using System.Text.RegularExpressions;

namespace Fairseq2Llama.Reference;

/// <summary>How the reference format names the files with the weights: consolidated.00.pth, consolidated.01.pth, …</summary>
internal static partial class ReferenceShard
{
    public static string NameOf(int rank) => string.Create(CultureInfo.InvariantCulture, $"consolidated.{rank:00}.pth");

    public static bool IsNameOfOne(string fileName) => FileName().IsMatch(fileName);

    /// <summary>The model-parallel rank of a file with such a name.</summary>
    public static int RankOf(string fileName) =>
        int.TryParse(FileName().Match(fileName).Groups["rank"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var rank)
            ? rank
            : int.MaxValue;

    [GeneratedRegex(@"^consolidated\.(?<rank>[0-9]+)\.pth\z", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();
}
