using System.Globalization;
using System.Text.RegularExpressions;

namespace Fairseq2Llama.Conversion;

/// <summary>How the reference format names the files with the weights: consolidated.00.pth, consolidated.01.pth, …</summary>
internal static partial class ReferenceShard
{
    public static string NameOf(int rank) => string.Create(CultureInfo.InvariantCulture, $"consolidated.{rank:00}.pth");

    public static bool IsNameOfOne(string fileName) => FileName().IsMatch(fileName);

    [GeneratedRegex(@"^consolidated\.[0-9]+\.pth\z", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();
}
