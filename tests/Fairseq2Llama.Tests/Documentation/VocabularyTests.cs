using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Documentation;

/// <summary>
/// Words that read like identifiers, in what users read: each is an error id, a parameter, a type, a property or a value that there is,
/// or the name of something that is not ours. So nothing is told of what has been renamed or was never there.
/// </summary>
public sealed partial class VocabularyTests : IDisposable
{
    /// <summary>Names of what is not ours.</summary>
    private static readonly HashSet<string> Foreign =
    [
        "PowerShell", "PyTorch", "TorchSharp", "NuGet", "DevOps", "GitHub",
        "FullyQualifiedErrorId", "ErrorActionPreference", "SwitchParameter", "FileSystemInfo", "FileInfo", "FullName",
        "Fairseq2Llama", "ConvertTo", "NotLike", "-Contains", "-EnumsAsStrings", "EnumsAsStrings", "-Full", "-File", "-View", "-Examples", "-Module",
    ];

    private readonly Session _session = new();

    /// <summary>What is written for users. CONTRIBUTING.md speaks of the inside and CHANGELOG.md of the past.</summary>
    public static TheoryData<string> Files { get; } =
    [
        .. Page.All.Where(page => !page.IsGenerated).Select(page => page.File)
            .Where(file => file is not "CONTRIBUTING.md" and not "CHANGELOG.md"),
        .. RepositoryFiles.WithExtension(".xml", ".txt").Where(file => file.StartsWith("module/en-US/", StringComparison.Ordinal)),
    ];

    public void Dispose() => _session.Dispose();

    [Theory]
    [MemberData(nameof(Files))]
    public void Has_no_words_for_what_there_is_not(string file)
    {
        var text = TextOf(file);
        Assert.NotEmpty(Identifier().Matches(text));

        var unknown = UnknownIn(text).Distinct().ToArray();
        Assert.True(
            unknown.Length == 0,
            $"{file}: there is no {string.Join(", ", unknown)}; what is not ours belongs to {nameof(Foreign)}");
    }

    [Theory]
    [InlineData("The error `CheckpointBroken` says so, `CheckpointCorrupt` not.", "CheckpointBroken")]
    [InlineData("-ShardCount and -ShardNumber", "ShardNumber")]
    [InlineData("$_.SizeInBytes, $_.SizeInBits", "SizeInBits")]
    [InlineData("Say -Deeper, not -Deep or -WhatIf.", "-Deeper")]
    public void Finds_what_there_is_not(string text, string word) => Assert.Equal([word], UnknownIn(text));

    private static string TextOf(string file) =>
        file.EndsWith(".xml", StringComparison.Ordinal)
            ? string.Join('\n', XDocument.Parse(RepositoryFiles.Read(file)).DescendantNodes().OfType<XText>().Select(text => text.Value))
            : Page.All.SingleOrDefault(page => page.File == file)?.Text ?? RepositoryFiles.Read(file);

    private string[] UnknownIn(string text)
    {
        var commands = _session.RunOne<PSModuleInfo>("Get-Module Fairseq2Llama").ExportedCmdlets.Values;
        var scripts = RepositoryFiles.WithExtension(".ps1").Select(file => Parser.ParseInput(RepositoryFiles.Read(file), out _, out _).ParamBlock);
        var parameters = commands.SelectMany(command => command.Parameters.Keys)
            .Concat(scripts.SelectMany(block => block?.Parameters ?? []).Select(parameter => parameter.Name.VariablePath.UserPath))
            .ToHashSet();
        var assembly = typeof(LlamaCheckpoint).Assembly;

        // SECURITY.md leads to classes of the inside, each in a file of its name.
        var known = RepositoryFiles.WithExtension(".cs").Select(Path.GetFileNameWithoutExtension)
            .Concat(assembly.GetExportedTypes().SelectMany(type => type.GetMembers()).Select(member => member.Name))
            .Concat(parameters)
            .Concat(Foreign)
            .ToHashSet();

        return
        [
            .. Identifier().Matches(text).Select(match => match.Value).Where(word => !known.Contains(word)),
            .. Option().Matches(text).Select(match => match.Value)
                .Where(word => !parameters.Contains(word[1..]) && !Foreign.Contains(word)),
        ];
    }

    /// <summary>Two or more words in one, but for file names and paths.</summary>
    [GeneratedRegex(@"(?<![\w/]|\w-)[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+)+(?![\w/]|\.\w|-[A-Z])")]
    private static partial Regex Identifier();

    /// <summary>A parameter of one word.</summary>
    [GeneratedRegex(@"(?<=^|[\s`(\[])-[A-Z][a-z]+\b(?!-)", RegexOptions.Multiline)]
    private static partial Regex Option();
}
