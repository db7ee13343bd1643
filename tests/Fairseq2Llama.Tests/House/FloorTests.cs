using Fairseq2Llama.Tests.Documentation;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Fairseq2Llama.Tests.House;

/// <summary>The floors of src/Checkpoints: a folder uses only what stands below it on CONTRIBUTING's map, and what lies in no folder.</summary>
public sealed class FloorTests
{
    private const string Ground = "";
    private const string FileSystem = "System.IO";

    private static readonly string[] FileSystemTypes = ["File", "Directory", "FileInfo", "DirectoryInfo", "DriveInfo", "FileStream", "RandomAccess"];

    private static readonly Lazy<Use[]> Uses = new(() => [.. FindUses()]);

    private static readonly string Source = Path.Combine(Support.Repository.Root, "src", "Checkpoints");

    [Fact]
    public void No_folder_looks_up()
    {
        var floors = ReadMap();
        var upward =
            from use in Uses.Value
            where use.To != FileSystem && floors.IndexOf(use.To) <= floors.IndexOf(use.From)
            select $"{use.From}/ uses {use.Type} of {use.To}/";

        Assert.Empty(upward.Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>A new one is a folder of its own, and none can break another.</summary>
    [Fact]
    public void No_format_knows_another()
    {
        string[] formats = ["Fairseq2", "Gguf", "HuggingFace", "Reference"];

        Assert.Empty(Uses.Value.Where(use => formats.Contains(use.From) && formats.Contains(use.To)).Select(use => $"{use.From}/ uses {use.Type} of {use.To}/").Distinct());
    }

    /// <summary>Whoever called it could not do the same for what lies in a store.</summary>
    [Fact]
    public void Only_stores_and_what_loads_assemblies_use_the_file_system()
    {
        var users = Uses.Value.Where(use => use.To == FileSystem).Select(use => use.From).Distinct().Order(StringComparer.Ordinal);

        Assert.Equal(["Isolation", "Native", "Stores"], users);
    }

    [Fact]
    public void The_map_shows_every_folder()
    {
        var folders = Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories).Select(FolderOf).Where(IsSource).Distinct();

        Assert.Equal(folders.Order(StringComparer.Ordinal), ReadMap().Order(StringComparer.Ordinal));
    }

    /// <summary>The test would find it if there were one.</summary>
    [Fact]
    public void Uses_are_found()
    {
        var uses = Uses.Value.ToHashSet();

        Assert.Contains(new Use("Conversion", "StorageCopier", "Transfer"), uses);
        Assert.Contains(new Use("Transfer", "IByteReader", "Stores"), uses);
        Assert.Contains(new Use("Stores", "CheckpointException", Ground), uses);
    }

    /// <summary>From the top to the ground.</summary>
    private static List<string> ReadMap()
    {
        var map = Page.All.Single(page => page.File == "CONTRIBUTING.md").Indented.Single(code => code.Text.Contains("src/Checkpoints/ ", StringComparison.Ordinal)).Text.Split('\n');

        return
        [
            .. from line in map.SkipWhile(line => !line.StartsWith("src/Checkpoints/", StringComparison.Ordinal)).Skip(1).TakeWhile(line => line.StartsWith(' '))
               select line.Trim().Split('/')[0],
            Ground,
        ];
    }

    private static IEnumerable<Use> FindUses()
    {
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Preview);
        var trees = Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories).Where(file => IsSource(FolderOf(file)))
            .Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), options, file))
            .ToArray();
        var implicitUsings = CSharpSyntaxTree.ParseText(
            "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;",
            options);
        var framework = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal) || Path.GetFileName(path).StartsWith("Microsoft.Win32.", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(
            "Checkpoints", [.. trees, implicitUsings], framework, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));

        foreach (var tree in trees)
        {
            var model = compilation.GetSemanticModel(tree);
            var from = FolderOf(tree.FilePath);

            foreach (var name in tree.GetRoot(TestContext.Current.CancellationToken).DescendantNodes(node => node is not UsingDirectiveSyntax).OfType<SimpleNameSyntax>())
            {
                var symbol = model.GetSymbolInfo(name, TestContext.Current.CancellationToken).Symbol;
                var type = (symbol as INamedTypeSymbol ?? symbol?.ContainingType)?.OriginalDefinition;

                if (FileSystemTypes.Contains(type?.Name) && type?.ContainingNamespace.ToDisplayString() == FileSystem)
                {
                    yield return new Use(from, type.Name, FileSystem);
                }

                if (type?.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath is { Length: > 0 } file && FolderOf(file) != from)
                {
                    yield return new Use(from, type.Name, FolderOf(file));
                }
            }
        }
    }

    private static string FolderOf(string file) => Path.GetRelativePath(Source, file).Split(Path.DirectorySeparatorChar) is [var folder, _, ..] ? folder : Ground;

    private static bool IsSource(string folder) => folder is not ("bin" or "obj");

    private readonly record struct Use(string From, string Type, string To);
}
