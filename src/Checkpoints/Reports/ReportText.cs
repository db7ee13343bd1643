using System.Globalization;
using System.Text;

namespace Fairseq2Llama.Reports;

/// <summary>Text for reports.</summary>
internal static class ReportText
{
    private const double AlikeShare = 0.98;

    /// <summary>
    /// Whatever stands in a file, without characters that no document may have or that change how the text around them reads.
    /// </summary>
    public static string Of(string text) => string.Concat(PrintableText.Of(text).EnumerateRunes().Select(
        rune => rune.Value is 0xFFFE or 0xFFFF ? Rune.ReplacementChar.ToString() : rune.ToString()));

    /// <summary>A share of a whole: <c>33.2 %</c>.</summary>
    public static string Share(long part, long whole) =>
        whole == 0 ? "–" : ((double)part / whole).ToString("P1", CultureInfo.InvariantCulture);

    /// <summary>Whether all are nearly the same, so that bars of them would tell less than a sentence; null is unlike all others.</summary>
    public static bool AreAlike(IEnumerable<double?> numbers)
    {
        var all = numbers.Select(number => number ?? double.NaN).DefaultIfEmpty(double.NaN).ToArray();
        return all.Min() > all.Max() * AlikeShare;
    }

    /// <summary>A number with a minus that is one.</summary>
    public static string Signed(double? number) =>
        Display.Number(number).Replace('-', '−').Replace("e−", "e-", StringComparison.Ordinal);
}
