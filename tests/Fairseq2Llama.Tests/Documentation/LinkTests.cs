using System.Text.RegularExpressions;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Documentation;

/// <summary>Links and paths in pages lead to what there is.</summary>
public sealed partial class LinkTests
{
    public static TheoryData<string> Files { get; } = [.. Page.All.Select(page => page.File)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Lead_somewhere(string file) => Assert.Empty(BrokenIn(Page.All.Single(page => page.File == file)));

    [Theory]
    [MemberData(nameof(Files))]
    public void Paths_of_the_repository_are_there(string file) =>
        Assert.Empty(
            from code in Page.All.Single(page => page.File == file).Code
            where RepositoryPath().IsMatch(code.Text) && !Exists(code.Text)
            select $"{code}: {code.Text}");

    [Theory]
    [InlineData("[a](docs/nowhere.md)", "docs/nowhere.md")]
    [InlineData("[a](#nowhere)", "#nowhere")]
    [InlineData("[a](CONTRIBUTING.md#nowhere)", "CONTRIBUTING.md#nowhere")]
    [InlineData("[a](/README.md)", "/README.md")]
    [InlineData("[a][b]\n\n[b]: nowhere", "nowhere")]
    [InlineData("![a](nowhere.png)", "nowhere.png")]
    public void Are_found_broken(string text, string link) => Assert.Equal([$"page.md:1: {link}"], BrokenIn(new Page("page.md", text)));

    [Fact]
    public void Are_found_whole() => Assert.Empty(BrokenIn(new Page("page.md", """
        # What `it` reads, and how-to (2.0)
        ## Twice
        ## Twice
        [a](https://example.com/nowhere), [b](README.md), [c](docs/commands), [d](CONTRIBUTING.md#the-house),
        [e](#what-it-reads-and-how-to-20), [f](#twice-1)
        """)));

    private static IEnumerable<string> BrokenIn(Page page) =>
        from link in page.Links
        where !Absolute().IsMatch(link.Url!) && !LeadsSomewhere(page, Uri.UnescapeDataString(link.Url!))
        select $"{page.File}:{link.Line + 1}: {link.Url}";

    private static bool LeadsSomewhere(Page page, string url)
    {
        var (path, anchor) = url.Split('#') is [var before, var after] ? (before, after) : (url, null);

        if (path.StartsWith('/'))
        {
            return false; // of a site, not of the repository
        }

        var folder = Path.Combine(Repository.Root, Path.GetDirectoryName(page.File)!);
        var target = Path.GetRelativePath(Repository.Root, Path.Combine(folder, path)).Replace('\\', '/');
        var linked = path.Length == 0 ? page : Page.All.SingleOrDefault(other => other.File == target);

        return (path.Length == 0 || Exists(target)) && (anchor is null || linked?.Anchors.Contains(anchor) == true);
    }

    private static bool Exists(string path) => RepositoryFiles.Matches(path.TrimEnd('/')).Any();

    [GeneratedRegex(@"^[a-z]+:")]
    private static partial Regex Absolute();

    [GeneratedRegex(@"^(src|tests|tools|docs|module|examples|\.ci)/\S+$")]
    private static partial Regex RepositoryPath();
}
