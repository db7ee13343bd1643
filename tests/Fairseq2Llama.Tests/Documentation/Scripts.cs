using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Documentation;

/// <summary>All PowerShell of the repository, wherever it stands.</summary>
internal static partial class Scripts
{
    public static IEnumerable<Snippet> Files =>
        RepositoryFiles.WithExtension(".ps1", ".psm1", ".psd1").Select(file => new Snippet(file, 1, RepositoryFiles.Read(file)));

    public static IEnumerable<Snippet> Views => Elements(".ps1xml", "ScriptBlock");

    public static IEnumerable<Snippet> HelpExamples => Elements(".xml", "code");

    /// <summary>The blocks of pages, and commands between backticks in their text.</summary>
    public static IEnumerable<Snippet> Pages =>
        from page in Page.All
        where !page.IsGenerated
        from snippet in page.PowerShell.Concat(page.Code.Where(code => Command().IsMatch(code.Text)))
        select snippet with { Text = Placeholder().Replace(snippet.Text, "NAME") };

    /// <summary>What topics set as code by indenting it.</summary>
    public static IEnumerable<Snippet> Topics =>
        from file in RepositoryFiles.WithExtension(".txt")
        let lines = RepositoryFiles.Read(file).Split('\n')
        from start in Enumerable.Range(1, lines.Length - 1)
        where IsCode(lines[start]) && !IsCode(lines[start - 1]) && Command().IsMatch(lines[start].TrimStart())
        select new Snippet(file, start + 1, string.Join('\n', lines.Skip(start).TakeWhile(IsCode)));

    /// <summary>The steps of pipelines.</summary>
    public static IEnumerable<Snippet> Steps =>
        from file in RepositoryFiles.WithExtension(".yml", ".yaml")
        let text = RepositoryFiles.Read(file)
        from script in StepsIn(ThirdParty.ReadYaml(text))
        let before = text[..text.IndexOf(script.Split('\n')[0], StringComparison.Ordinal)]
        select new Snippet(file, before.Count(character => character == '\n') + 1, script);

    private static bool IsCode(string line) => line.StartsWith("        ", StringComparison.Ordinal);

    private static IEnumerable<string> StepsIn(object? node) => node switch
    {
        IReadOnlyDictionary<string, object?> map => map.SelectMany(entry =>
            entry is { Key: "pwsh" or "powershell", Value: string script } ? [script] : StepsIn(entry.Value)),
        IReadOnlyList<object?> list => list.SelectMany(StepsIn),
        _ => [],
    };

    private static IEnumerable<Snippet> Elements(string extension, string name) =>
        from file in RepositoryFiles.WithExtension(extension)
        let document = XDocument.Load(RepositoryFiles.FullPath(file), LoadOptions.SetLineInfo | LoadOptions.PreserveWhitespace)
        from element in document.Descendants()
        where element.Name.LocalName == name
        select new Snippet(file, ((IXmlLineInfo)element).LineNumber, element.Value);

    [GeneratedRegex(@"^\(?(\$[\w, $]+ = )?[A-Z]\w+-[A-Z]")]
    private static partial Regex Command();

    [GeneratedRegex(@"<\w+>")]
    private static partial Regex Placeholder();
}
