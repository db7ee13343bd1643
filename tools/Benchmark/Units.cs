using System.Globalization;

namespace Fairseq2Llama.Benchmark;

/// <summary>Numbers as a report has them, the same in every country.</summary>
internal static class Units
{
    private const double Mega = 1e6;
    private const double Giga = 1e9;

    public static string Seconds(double seconds) => seconds.ToString("0.000", CultureInfo.InvariantCulture);

    public static string Ratio(double ratio) => ratio.ToString(ratio < 0.1 ? "0.000" : "0.00", CultureInfo.InvariantCulture) + "x";

    /// <summary>Decimal units, as disks have them.</summary>
    public static string Size(long? bytes) => bytes switch
    {
        null => "?",
        >= (long)Giga or <= -(long)Giga => string.Create(CultureInfo.InvariantCulture, $"{bytes / Giga:0.00} GB"),
        // Rounded first, or a little less than nothing would be -0.0.
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Round(bytes.Value / Mega, 1) + 0.0:0.0} MB"),
    };

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
