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

    private static Dictionary<string, string> Read(string folder) =>
        Directory.EnumerateFiles(folder).ToDictionary(file => Path.GetFileName(file), file => File.ReadAllText(file).ReplaceLineEndings("\n"), StringComparer.Ordinal);
}
