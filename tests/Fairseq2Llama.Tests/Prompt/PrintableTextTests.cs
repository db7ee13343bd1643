namespace Fairseq2Llama.Tests.Prompt;

/// <summary>What is left of text that a terminal or the agent of a pipeline would obey, or that reads as another.</summary>
public class PrintableTextTests
{
    [Theory]
    [InlineData("##vso[task.complete]", "## vso[task.complete]")]
    [InlineData("a##VSO[x] ##[error]y", "a## VSO[x] ## [error]y")]
    [InlineData("###[x]", "### [x]")]
    [InlineData("# [x] ## a", "# [x] ## a")]
    [InlineData("\u001b[2J", "\ufffd[2J")]
    [InlineData("a\u202eb\u2066c\u200fd\u061ce\ufefff\u2028g\u00adh", "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg\ufffdh")]
    [InlineData("a\U000E0041b", "a\ufffdb")]
    [InlineData("a\u3164b\u115fc", "a\ufffdb\ufffdc")]
    [InlineData("नमस्ते می\u200cخواهم 👩\u200d💻", "नमस्ते می\u200cخواهم 👩\u200d💻")]
    public void Is_shown_like_this(string text, string shown)
    {
        Assert.Equal(shown, Display.Text(text));
        Assert.Equal(shown, Display.Text(shown));
    }

    [Fact]
    public void Is_cut_where_it_is_endless() => Assert.Equal(PrintableText.MaxLength + 2, Display.Text(new string('a', 100_000)).Length);
}
