using Fairseq2Llama.Tests.Documentation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Help;

/// <summary>Runs every example of the help as it is written, but for the architectures of published models.</summary>
public sealed class ExampleTests
{
    public static TheoryData<string, int> Examples { get; } =
        [.. HelpFile.Commands.Keys.SelectMany(command => Enumerable.Range(1, HelpFile.Examples(command).Length).Select(number => (command, number)))];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Runs(string command, int number)
    {
        var code = HelpFile.Examples(command)[number - 1];

        LibTorch.RequireFor(code);
        EllipticKeys.RequireFor(code);

        using var world = new ExampleWorld();
        using var session = world.Open();

        Assert.Contains(command, code, StringComparison.Ordinal);
        RunnableExample.Run(session, new Snippet($"{command}, example {number}", 1, ExampleWorld.WithItsArchitecture(code)));
    }
}
