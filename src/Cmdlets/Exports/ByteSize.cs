using System.Globalization;
using System.Text.RegularExpressions;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// A number of bytes as people write it. PowerShell's own 5GB is a number of binary gigabytes, but as an argument it stays the text that was
/// typed, which means here what Hugging Face's tools mean by it.
/// </summary>
internal static partial class ByteSize
{
    private const string Prefixes = "KMGT";

    /// <returns>Null where it is none, or none from 1 up.</returns>
    public static long? Parse(string text)
    {
        var match = Size().Match(text);

        if (!match.Success)
        {
            return null;
        }

        var unit = Math.Pow(match.Groups["binary"].Success ? 1024 : 1000, Prefixes.IndexOf(match.Groups["prefix"].Value, StringComparison.OrdinalIgnoreCase) + 1);
        var bytes = double.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture) * (match.Groups["prefix"].Success ? unit : 1);

        return bytes is >= 1 and < long.MaxValue ? (long)bytes : null;
    }

    // Ignoring case would take the sign of the kelvin for a K.
    [GeneratedRegex(@"^\s*(?<number>[0-9]+(\.[0-9]+)?)\s*((?<prefix>[KMGTkmgt])(?<binary>[Ii])?)?[Bb]?\s*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Size();
}
