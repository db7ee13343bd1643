using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Fairseq2Llama.Stores.Local;

/// <summary>
/// The staging folders of exports. The same destination always has the same names, so that the next export finds what
/// one that was killed has left.
/// </summary>
internal static class StagingPath
{
    private const string Prefix = ".fairseq2llama";

    /// <summary>Its name in a destination.</summary>
    /// <param name="shards">Those of a job, where other jobs write into the destination at the same time; empty for an export of all.</param>
    public static string NameFor(IReadOnlyCollection<int> shards) => shards.Count == 0
        ? Prefix
        : $"{Prefix}.{Fit(string.Join(',', shards.Distinct().Order().Select(shard => shard.ToString("00", CultureInfo.InvariantCulture))))}";

    /// <summary>Whether the entry of that name in a destination belongs to an export there.</summary>
    /// <param name="name">The name.</param>
    /// <param name="shards">
    /// The shards of the job; empty for an export of all. What other jobs have is none of a job's business: file systems that several machines share
    /// do not all have locks, and without them one that is running looks just as one that was killed.
    /// </param>
    public static bool Concerns(string name, IReadOnlyCollection<int> shards) =>
        name == Prefix || (shards.Count == 0 ? name.StartsWith(Prefix + '.', StringComparison.Ordinal) : name == NameFor(shards));

    /// <summary>Inside a destination that is there already.</summary>
    public static string In(string destination, IReadOnlyCollection<int> shards) => Path.Combine(destination, NameFor(shards));

    /// <summary>Beside a destination that is not there yet.</summary>
    public static string Beside(string destination) =>
        Path.Combine(Path.GetDirectoryName(destination) ?? destination, $"{Prefix}-{Fit(Path.GetFileName(destination))}");

    /// <summary>The existing staging folders that matter to an export to a destination.</summary>
    /// <param name="destination">The folder.</param>
    /// <param name="shards">As for <see cref="Concerns"/>.</param>
    public static IEnumerable<string> Existing(string destination, IReadOnlyCollection<int> shards)
    {
        var inside = Directory.Exists(destination)
            ? Directory.EnumerateDirectories(destination).Where(folder => Concerns(Path.GetFileName(folder), shards))
            : [];

        return new[] { Beside(destination) }.Where(Directory.Exists).Concat(inside);
    }

    /// <summary>A file name may have 255 bytes, and the destination's own may have that many.</summary>
    private static string Fit(string name)
    {
        const int MaxLength = 200;

        var bytes = Encoding.UTF8.GetBytes(name);
        return bytes.Length <= MaxLength ? name : Convert.ToHexString(SHA256.HashData(bytes));
    }
}
