using System.Globalization;
using System.Text.RegularExpressions;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.StagedModule;

/// <summary>CHANGELOG.md is in step with the manifest.</summary>
public sealed partial class ChangelogTests : IDisposable
{
    private readonly Session _session = new();

    private readonly string[] _lines = File.ReadAllLines(Path.Combine(Repository.Root, "CHANGELOG.md"));

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Knows_the_version_of_the_manifest_as_the_newest_unless_that_is_a_prerelease()
    {
        var version = Version.Parse(_session.RunOne<string>("(Get-Module Fairseq2Llama).Version.ToString()"));
        var prerelease = _session.Run("(Get-Module Fairseq2Llama).PrivateData.PSData.Prerelease").Single()?.ToString();
        var newest = Releases().Select(release => release.Version).FirstOrDefault();

        if (string.IsNullOrEmpty(prerelease))
            Assert.Equal(version, newest);
        else
            Assert.True(newest is null || newest < version, $"{newest} is released, and the manifest still says {version}-{prerelease}");
    }

    private IEnumerable<string> Headings() => _lines.Where(line => line.StartsWith("## ", StringComparison.Ordinal));

    private List<(Version Version, DateOnly Day)> Releases() =>
        [.. Headings().Skip(1).Select(heading =>
        {
            var match = ReleaseHeading().Match(heading);
            Assert.True(match.Success, heading);
            return (Version.Parse(match.Groups[1].Value), DateOnly.ParseExact(match.Groups[2].Value, "yyyy-MM-dd", CultureInfo.InvariantCulture));
        })];

    [GeneratedRegex(@"^## \[((?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2})\] - (\d{4}-\d{2}-\d{2})(?: \[YANKED\])?$", RegexOptions.CultureInvariant)]
    private static partial Regex ReleaseHeading();
}
