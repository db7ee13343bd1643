using System.Reflection;
using System.Text.RegularExpressions;
using Fairseq2Llama.Tests.Support;
using Xunit.Sdk;

namespace Fairseq2Llama.Tests.House;

/// <summary>Which tests are fast, so that the fast ones stay it.</summary>
public sealed partial class CategoryTests
{
    /// <summary>Commands that are done in a millisecond.</summary>
    private static readonly string[] Trifles = ["mkfifo", "chown"];

    [Fact]
    public void One_without_a_mark_may_not_start_a_program() => Assert.ThrowsAny<XunitException>(CategoryAttribute.Require);

    [External]
    [Fact]
    public void One_with_a_mark_may() => CategoryAttribute.Require();

    /// <summary>What starts programs for tests asks for their mark, and a test that starts one by itself has it.</summary>
    [Fact]
    public void Whatever_starts_a_program_knows_of_marks()
    {
        var files = RepositoryFiles.Matches("tests/Fairseq2Llama.Tests").Where(file => file.EndsWith(".cs", StringComparison.Ordinal))
            .Select(file => (File: file, Text: RepositoryFiles.Read(file)))
            .Where(file => ProgramStart().Matches(file.Text).Any(start => !Trifles.Contains(start.Groups["name"].Value)))
            .ToArray();

        Assert.Contains(files, file => file.File.EndsWith("/ScriptProcess.cs", StringComparison.Ordinal));
        Assert.Empty(files.Where(file => !Mark().IsMatch(file.Text)).Select(file => file.File));
    }

    [Theory]
    [InlineData(".Lossless.", typeof(LosslessAttribute))]
    [InlineData("FuzzTests", typeof(FuzzAttribute))]
    public void Those_that_are_named_so_have_the_mark(string name, Type mark)
    {
        var tests = typeof(CategoryTests).Assembly.GetTypes()
            .Where(type => type.FullName!.Contains(name, StringComparison.Ordinal))
            .SelectMany(type => type.GetMethods(BindingFlags.Instance | BindingFlags.Public))
            .Where(method => method.IsDefined(typeof(FactAttribute)))
            .ToArray();

        Assert.NotEmpty(tests);
        Assert.Empty(tests.Where(test => !test.IsDefined(mark) && !test.ReflectedType!.IsDefined(mark)).Select(test => $"{test.ReflectedType}.{test.Name}"));
    }

    [GeneratedRegex("""\bnew Process\b|\bProcess\.Start\((new ProcessStartInfo\()?("(?<name>\w+)")?""")]
    private static partial Regex ProgramStart();

    [GeneratedRegex(@"CategoryAttribute\.Require\(\)|\[(External|Lossless)\]")]
    private static partial Regex Mark();
}
