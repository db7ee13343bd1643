using System.Xml.Linq;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Help;

/// <summary>The help of the commands, as it is written; staging only moves its links.</summary>
internal static class HelpFile
{
    public static XNamespace Maml { get; } = "http://schemas.microsoft.com/maml/2004/10";

    public static XNamespace Command { get; } = "http://schemas.microsoft.com/maml/dev/command/2004/10";

    public static XNamespace Dev { get; } = "http://schemas.microsoft.com/maml/dev/2004/10";

    public static string Folder { get; } = Path.Combine(Repository.Root, "module", "en-US");

    /// <summary>What is said of each command, by its name.</summary>
    public static IReadOnlyDictionary<string, XElement> Commands { get; } =
        XDocument.Load(Path.Combine(Folder, "Fairseq2Llama.dll-Help.xml")).Root!.Elements(Command + "command")
            .ToDictionary(command => command.Element(Command + "details")!.Element(Command + "name")!.Value, StringComparer.Ordinal);

    public static TheoryData<string> Names { get; } = [.. Commands.Keys];

    /// <summary>A command's examples, as they are typed.</summary>
    public static string[] Examples(string command) =>
        [.. Commands[command].Element(Command + "examples")!.Elements(Command + "example").Select(example => example.Element(Dev + "code")!.Value)];

    /// <summary>What is said of a command's parameters, by their names.</summary>
    public static IReadOnlyDictionary<string, XElement> Parameters(string command) =>
        Commands[command].Element(Command + "parameters")!.Elements(Command + "parameter")
            .ToDictionary(parameter => parameter.Element(Maml + "name")!.Value, StringComparer.Ordinal);

    /// <summary>The paragraphs of a description.</summary>
    public static string Describe(XElement element) =>
        string.Join('\n', element.Element(Maml + "description")!.Elements(Maml + "para").Select(para => para.Value));
}
