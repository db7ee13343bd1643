using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Help;

/// <summary>The topics that are about more than one command.</summary>
public sealed class TopicTests
{
    public static TheoryData<string> Topics { get; } =
        [.. Directory.EnumerateFiles(HelpFile.Folder, "about_*.help.txt").Select(file => Path.GetFileName(file).Split('.')[0]).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Topics))]
    public void Is_found_by_PowerShell(string name)
    {
        using var session = new Session();

        Assert.Contains("SHORT DESCRIPTION", Assert.Single(session.Run($"Get-Help {name}")).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Topics))]
    public void Leads_only_to_what_there_is(string name)
    {
        var links = Read(name).Split("SEE ALSO")[1].Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

        Assert.NotEmpty(links);
        Assert.All(links, link => Assert.True(HelpFile.Commands.ContainsKey(link) || Topics.Any(topic => topic.Data == link), link));
    }

    private static string Read(string topic) => File.ReadAllText(Path.Combine(HelpFile.Folder, $"{topic}.help.txt")).ReplaceLineEndings("\n");
}
