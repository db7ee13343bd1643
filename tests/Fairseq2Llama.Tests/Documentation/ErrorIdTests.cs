using Fairseq2Llama.Tests.Support;
using Markdig.Extensions.Tables;

namespace Fairseq2Llama.Tests.Documentation;

/// <summary>The ids of errors, wherever they are listed for people.</summary>
public sealed class ErrorIdTests
{
    private static readonly string[] Ids = [.. Enum.GetNames<CheckpointErrorCode>()];

    [Fact]
    public void Are_in_one_table_of_the_pages_in_their_order()
    {
        var tables =
            from page in Page.All
            from table in page.Tables
            let rows = table.Cast<TableRow>().Select(row => string.Concat(Page.CodeIn(row[0]))).Skip(1).ToArray()
            where rows.Intersect(Ids).Any()
            select rows;

        Assert.Equal(Ids, Assert.Single(tables));
    }

    [Fact]
    public void Are_in_the_topic_in_their_order()
    {
        var lines = RepositoryFiles.Read("module/en-US/about_CheckpointSafety.help.txt").Split('\n');
        var entries = lines.SkipWhile(line => line != "  Errors")
            .Where(line => line.StartsWith("    ", StringComparison.Ordinal) && line.Trim().All(char.IsAsciiLetter));

        Assert.Equal(Ids, entries.Select(line => line.Trim()));
    }

    [Fact]
    public void Mean_the_same_in_the_topic_as_in_the_table()
    {
        var topic = RepositoryFiles.Read("module/en-US/about_CheckpointSafety.help.txt");
        var said = string.Join(' ', topic.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

        Assert.All(Page.All.SelectMany(page => page.Tables).SelectMany(table => table.Cast<TableRow>()), row =>
        {
            if (Page.CodeIn(row[0]).FirstOrDefault() is { } id && Ids.Contains(id))
            {
                Assert.Contains($"{id} {Page.TextIn(row[1])}", said, StringComparison.Ordinal);
            }
        });
    }
}
