using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Help;

/// <summary>The pages of docs/commands, which are written of the help.</summary>
public sealed class CommandPagesTests
{
    [Fact]
    public void Are_up_to_date()
    {
        using var folder = new TempFolder();
        using var session = new Session();
        session.Run($"& '{Path.Combine(Repository.Root, "tools", "Write-CommandHelp.ps1")}' -DestinationPath '{folder.Path}'");

        var committed = Read(Path.Combine(Repository.Root, "docs", "commands"));
        var written = Read(folder.Path);

        Assert.Equal(written.Keys.Order(StringComparer.Ordinal), committed.Keys.Order(StringComparer.Ordinal));
        Assert.All(written, page => Assert.True(page.Value == committed[page.Key], $"{page.Key} is not up to date; run tools/Write-CommandHelp.ps1"));
    }

    /// <summary>By what the help is, not by what the script makes of it: what that drops would be missed nowhere.</summary>
    [Theory]
    [MemberData(nameof(HelpFile.Names), MemberType = typeof(HelpFile))]
    public void Have_all_that_the_help_has(string name)
    {
        var lines = RepositoryFiles.Read($"docs/commands/{name}.md");
        var text = lines.Replace("\\", "", StringComparison.Ordinal);
        var help = HelpFile.Commands[name];

        Assert.Equal(
            HelpFile.Parameters(name)
                .Select(parameter => $"### -{parameter.Key} <{parameter.Value.Element(HelpFile.Dev + "type")!.Value.Trim()}>"),
            text.Split('\n').Where(line => line.StartsWith("### -", StringComparison.Ordinal)));
        Assert.All(
            HelpFile.Examples(name),
            code => Assert.Contains($"```powershell\n{code.ReplaceLineEndings("\n")}\n```", lines, StringComparison.Ordinal));
        Assert.All(
            help.Descendants(HelpFile.Maml + "para").Where(para => para.Value.Length > 0),
            para => Assert.Contains(para.Value, text, StringComparison.Ordinal));
        Assert.All(
            help.Descendants(HelpFile.Maml + "linkText"),
            link => Assert.Contains($"[{link.Value}](", lines, StringComparison.Ordinal));
    }

    private static Dictionary<string, string> Read(string folder) =>
        Directory.EnumerateFiles(folder).ToDictionary(file => Path.GetFileName(file), file => File.ReadAllText(file).ReplaceLineEndings("\n"), StringComparer.Ordinal);
}
