using Fairseq2Llama.Tests.Help;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Documentation;

/// <summary>Runs every block of PowerShell in pages that people wrote; those of docs/commands are examples of the help.</summary>
public sealed class PageExampleTests
{
    private static readonly Snippet[] Examples = [.. Page.All.Where(page => !page.IsGenerated).SelectMany(page => page.PowerShell)];

    public static TheoryData<string> Places { get; } = [.. Examples.Select(example => example.ToString())];

    [Theory]
    [MemberData(nameof(Places))]
    public void Run_as_they_are_written(string place)
    {
        var example = Examples.Single(example => example.ToString() == place);
        LibTorch.RequireFor(example.Text);
        EllipticKeys.RequireFor(example.Text);

        using var world = new ExampleWorld();
        Run(world, example);
    }

    [Theory]
    [InlineData("Read-Fairseq2Checkpoint nowhere", "page.md:5: Read-Fairseq2Checkpoint nowhere")]
    [InlineData("$a = 1\nRead-Nothing", "page.md:6: Read-Nothing")]
    [InlineData("Get-ChildItem lora -File", "gave nothing")]
    [InlineData("Get-ChildItem lora -File | Where-Object Name -eq x", "gave nothing to be filtered")]
    [InlineData("Get-ChildItem (", "page.md:5: ")]
    public void Fail_where_they_are_wrong(string code, string said)
    {
        using var world = new ExampleWorld();

        var error = Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Run(world, new Snippet("page.md", 5, code)));

        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    /// <summary>What examples say for a user's machine, in terms of the world of examples: the module is where this build put it, and shares of a network are folders of the world.</summary>
    private static string Adapt(string code)
    {
        code = code.Replace("./output/Fairseq2Llama", $"'{Path.GetDirectoryName(Repository.StagedModule)}'", StringComparison.Ordinal);
        return code.Replace("/mnt/", "mnt/", StringComparison.Ordinal);
    }

    private static void Run(ExampleWorld world, Snippet example)
    {
        using var session = world.Open();
        RunnableExample.Run(session, example with { Text = ExampleWorld.WithItsArchitecture(Adapt(example.Text)) });
    }
}
