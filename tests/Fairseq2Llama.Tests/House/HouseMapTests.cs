using System.Text.RegularExpressions;
using Fairseq2Llama.Tests.Documentation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.House;

/// <summary>The map of folders that CONTRIBUTING.md draws.</summary>
public sealed partial class HouseMapTests
{
    /// <summary>Every path of the map with what is said of it.</summary>
    private static readonly (string Path, string Said)[] Map = [.. Read(Page.All.Single(page => page.File == "CONTRIBUTING.md"))];

    [Fact]
    public void Shows_only_what_there_is()
    {
        Assert.Contains(Map, entry => entry.Path == "src/Checkpoints/Llama/");
        Assert.Empty(Map.Where(entry => !RepositoryFiles.Matches(entry.Path.TrimEnd('/')).Any()).Select(entry => entry.Path));
    }

    [Fact]
    public void Shows_every_folder()
    {
        var shown = Map.Select(entry => entry.Path.Split('*')[0]).ToArray();
        var folders = RepositoryFiles.All.Select(file => file[..(file.LastIndexOf('/') + 1)]).Distinct()
            .Where(folder => folder.Split('/') is ["src", "Checkpoints", _, ""] or ["src" or "tools", _, ""]);

        Assert.Subset(shown.ToHashSet(), folders.ToHashSet());
    }

    [Fact]
    public void Speaks_of_folders_inside_that_are_there() =>
        Assert.Empty(
            from entry in Map
            from Match word in FolderName().Matches(entry.Said)
            where !RepositoryFiles.Matches(entry.Path + word.Value.TrimEnd('/')).Any()
            select entry.Path + word.Value);

    private static IEnumerable<(string Path, string Said)> Read(Page page)
    {
        var parents = new Stack<(int Indent, string Path)>();

        foreach (var line in page.Indented.Single(code => code.Text.Contains("src/Cmdlets/ ", StringComparison.Ordinal)).Text.Split('\n'))
        {
            var indent = line.Length - line.TrimStart().Length;
            while (parents.TryPeek(out var last) && last.Indent >= indent)
            {
                parents.Pop();
            }

            var words = line.Trim().Split(' ', 2);
            parents.Push((indent, (parents.TryPeek(out var parent) ? parent.Path : "") + words[0]));
            yield return (parents.Peek().Path, words[1]);
        }
    }

    [GeneratedRegex(@"(?<=^|\s)\w+/(?=\s|,|;|$)")]
    private static partial Regex FolderName();
}
