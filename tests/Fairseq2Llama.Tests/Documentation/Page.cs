using Fairseq2Llama.Tests.Support;
using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Extensions.Tables;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Fairseq2Llama.Tests.Documentation;

/// <summary>A Markdown file of the repository.</summary>
internal sealed class Page
{
    private static readonly MarkdownPipeline GitHub =
        new MarkdownPipelineBuilder().UsePipeTables().UseAutoIdentifiers(AutoIdentifierOptions.GitHub).UsePreciseSourceLocation().Build();

    private readonly MarkdownDocument _document;

    public Page(string file, string text)
    {
        File = file;
        _document = Markdown.Parse(text, GitHub);
        IsGenerated = _document.Descendants<HtmlBlock>()
            .Any(block => block.Lines.ToString().Contains("Written by tools/", StringComparison.Ordinal));
    }

    public static IReadOnlyList<Page> All { get; } =
        [.. RepositoryFiles.WithExtension(".md").Select(file => new Page(file, RepositoryFiles.Read(file)))];

    /// <summary>Its path in the repository.</summary>
    public string File { get; }

    /// <summary>Whether a script writes it, of the help.</summary>
    public bool IsGenerated { get; }

    /// <summary>What GitHub calls its headings.</summary>
    public IEnumerable<string> Anchors => _document.Descendants<HeadingBlock>().Select(heading => heading.GetAttributes().Id!);

    public IEnumerable<LinkInline> Links => _document.Descendants<LinkInline>();

    public IEnumerable<Table> Tables => _document.Descendants<Table>();

    /// <summary>What stands between backticks in its text.</summary>
    public IEnumerable<Snippet> Code =>
        _document.Descendants<CodeInline>().Select(code => new Snippet(File, code.Line + 1, code.Content));

    /// <summary>Its blocks of PowerShell.</summary>
    public IEnumerable<Snippet> PowerShell => Fenced("powershell", "pwsh", "ps1");

    /// <summary>What is indented as code.</summary>
    public IEnumerable<Snippet> Indented =>
        from block in _document.Descendants<CodeBlock>()
        where block is not FencedCodeBlock
        select new Snippet(File, block.Line + 1, block.Lines.ToString());

    /// <summary>Its blocks of some languages.</summary>
    public IEnumerable<Snippet> Fenced(params string[] languages) =>
        from block in _document.Descendants<FencedCodeBlock>()
        where languages.Contains(block.Info)
        select new Snippet(File, block.Line + 2, block.Lines.ToString());

    /// <summary>The words of a table's cell that are set as code.</summary>
    public static IEnumerable<string> CodeIn(Block cell) => cell.Descendants<CodeInline>().Select(code => code.Content);

    /// <summary>The words of a block or a line without their markup.</summary>
    public static string TextIn(MarkdownObject block) => string.Concat(block.Descendants<LeafInline>().Select(inline => inline switch
    {
        CodeInline code => code.Content,
        LineBreakInline => "\n",
        _ => inline.ToString(),
    }));
}
