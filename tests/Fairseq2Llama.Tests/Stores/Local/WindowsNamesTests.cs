using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama.Tests.Stores.Local;

/// <summary>The rules are Microsoft's, in "Naming Files, Paths, and Namespaces".</summary>
public sealed class WindowsNamesTests
{
    [Theory]
    [InlineData(@"C:\models\out ", "'out ' ends with a space")]
    [InlineData(@"C:\models\out.", "'out.' ends with a dot")]
    [InlineData(@"C:\models. \out", "'models. ' ends with a space")]
    [InlineData(@"C:\models.\out", "'models.' ends with a dot")]
    [InlineData(@"C:\models\NUL", "'NUL' is a device")]
    [InlineData(@"C:\models\con", "'con' is a device")]
    [InlineData(@"C:\models\aux.gguf", "'aux.gguf' is a device")]
    [InlineData(@"C:\models\com1.tar.gz", "'com1.tar.gz' is a device")]
    [InlineData(@"C:\models\LPT¹", "'LPT¹' is a device")]
    [InlineData(@"C:\models\prn .gguf", "'prn .gguf' is a device")]
    [InlineData(@"C:\conin$\out", "'conin$' is a device")]
    [InlineData("C:/models/nul/out", "'nul' is a device")]
    [InlineData(@"\\.\NUL", "'NUL' is a device")]
    [InlineData(@"\\server\share\out.", "'out.' ends with a dot")]
    [InlineData(@"C:\models\out:7b", "'out:7b' contains :")]
    [InlineData(@"C:\models\<name>\out", "'<name>' contains <")]
    [InlineData("C:\\models\\a\tb", "'a\tb' contains a control character")]
    public void A_name_that_Windows_changes_or_takes_for_a_device_is_found(string path, string problem) =>
        Assert.StartsWith(problem, WindowsNames.FindProblem(path));

    [Fact]
    public void A_name_may_have_255_characters()
    {
        var longest = new string('x', 255);

        Assert.Null(WindowsNames.FindProblem($@"C:\models\{longest}\{longest}"));
        Assert.StartsWith($"'{longest}x' has 256 characters", WindowsNames.FindProblem($@"C:\models\{longest}x\out"));
    }

    [Theory]
    [InlineData(@"C:\models\out")]
    [InlineData(@"C:\models\..\out\.\x")]
    [InlineData(@"C:\models\.hidden")]
    [InlineData(@"C:\models\console")]
    [InlineData(@"C:\models\com10")]
    [InlineData(@"C:\models\com")]
    [InlineData(@"C:\models\my con")]
    [InlineData(@"C:\models\v1.0\null.gguf")]
    [InlineData(@"\\server\share\Meta Llama [3]\")]
    [InlineData(@"\\?\C:\models\out")]
    public void Any_other_name_is_fine(string path) => Assert.Null(WindowsNames.FindProblem(path));
}
