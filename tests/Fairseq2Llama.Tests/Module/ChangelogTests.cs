using System.Globalization;
using System.Text.RegularExpressions;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.StagedModule;

/// <summary>CHANGELOG.md in the form of Keep a Changelog 1.1.0, and in step with the manifest.</summary>
public sealed partial class ChangelogTests : IDisposable
{
    private static readonly string[] Kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];

    private readonly Session _session = new();

    private readonly string[] _lines = File.ReadAllLines(Path.Combine(Repository.Root, "CHANGELOG.md"));

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Begins_with_what_is_unreleased()
    {
        Assert.Equal("# Changelog", _lines[0]);
        Assert.Equal("## [Unreleased]", Headings().First());
        Assert.Single(Headings(), "## [Unreleased]");
    }

    [Fact]
    public void Has_releases_in_descending_order_with_the_days_on_which_they_came()
    {
        var releases = Releases();

        Assert.Equal(releases.Select(release => release.Version).OrderDescending(), releases.Select(release => release.Version));
        Assert.Equal(releases.Select(release => release.Day).OrderDescending(), releases.Select(release => release.Day));
        Assert.Distinct(releases.Select(release => release.Version));
    }

    [Fact]
    public void Has_only_the_six_kinds_of_sections_each_once_in_a_release_and_never_empty()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);

        for (var i = 0; i < _lines.Length; i++)
        {
            if (_lines[i].StartsWith("## ", StringComparison.Ordinal))
                seen.Clear();
            if (!_lines[i].StartsWith("### ", StringComparison.Ordinal))
                continue;

            var kind = _lines[i][4..];
            Assert.Contains(kind, Kinds);
            Assert.True(seen.Add(kind), $"a second '{kind}' in line {i + 1}");
            Assert.StartsWith("- ", _lines.Skip(i + 1).FirstOrDefault(line => line.Length > 0) ?? "", StringComparison.Ordinal);
        }
    }

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
