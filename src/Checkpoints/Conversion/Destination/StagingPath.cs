using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Fairseq2Llama.Conversion.Destination;

/// <summary>
/// Where exports prepare what they write. The names are always the same for the same destination, so that the next export finds what
/// one that was killed has left.
/// </summary>
internal static class StagingPath
{
    private const string Prefix = ".fairseq2llama";

    /// <summary>Inside a destination that is there already.</summary>
    public static string In(string destination) => Path.Combine(destination, Prefix);

    /// <summary>Inside a destination that other jobs write their parts into at the same time.</summary>
    public static string In(string destination, IEnumerable<int> ranks) => Path.Combine(
        destination, $"{Prefix}.{Fit(string.Join(',', ranks.Distinct().Order().Select(rank => rank.ToString("00", CultureInfo.InvariantCulture))))}");

    /// <summary>Beside a destination that is not there yet.</summary>
    public static string Beside(string destination) =>
        Path.Combine(Path.GetDirectoryName(destination) ?? destination, $"{Prefix}-{Fit(Path.GetFileName(destination))}");

    /// <summary>Those that an export to a destination has to do with, as far as they are there.</summary>
    /// <param name="destination">The folder.</param>
    /// <param name="ranks">
    /// The shards of the job; empty for an export of all. The folders of other jobs are none of a job's business: file systems that
    /// several machines share do not all have locks, and without them one that is at work looks just as one that was killed.
    /// </param>
    public static IEnumerable<string> Existing(string destination, IReadOnlyCollection<int> ranks)
    {
        string[] own = [Beside(destination), In(destination), .. ranks.Count > 0 ? [In(destination, ranks)] : Array.Empty<string>()];
        var others = ranks.Count == 0 && Directory.Exists(destination)
            ? Directory.EnumerateDirectories(destination).Where(folder => Path.GetFileName(folder).StartsWith(Prefix + ".", StringComparison.Ordinal))
            : [];

        return own.Where(Directory.Exists).Concat(others);
    }

    /// <summary>A file name may have 255 bytes, and the destination's own may have that many.</summary>
    private static string Fit(string name)
    {
        const int MaxLength = 200;

        var bytes = Encoding.UTF8.GetBytes(name);
        return bytes.Length <= MaxLength ? name : Convert.ToHexString(SHA256.HashData(bytes));
    }
}
