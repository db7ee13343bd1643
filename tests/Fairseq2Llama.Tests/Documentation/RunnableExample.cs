using System.Management.Automation;
using System.Management.Automation.Language;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Documentation;

/// <summary>Runs a block of examples from top to bottom, as somebody would who types it, and says which statement failed.</summary>
internal static class RunnableExample
{
    /// <summary>At the end of a pipeline, these rightly leave nothing.</summary>
    private static readonly HashSet<string> Sieves =
        new(["Where-Object", "Export-Csv", "Out-Null", "Out-File", "Set-Content"], StringComparer.OrdinalIgnoreCase);

    /// <summary>So does this parameter.</summary>
    private const string Sieve = "DifferentOnly";

    /// <summary>
    /// Paragraphs build on those before or are alternatives to them, so each finds their variables and files, but nothing in <c>out</c>.
    /// </summary>
    public static void Run(Session session, Snippet example)
    {
        var line = example.Line;

        foreach (var paragraph in example.Text.Split("\n\n"))
        {
            var output = Path.Combine(session.Location, "out");
            if (Directory.Exists(output))
            {
                Directory.Delete(output, recursive: true);
            }

            RunParagraph(session, example with { Line = line, Text = paragraph });
            line += paragraph.Split('\n').Length + 1;
        }
    }

    private static void RunParagraph(Session session, Snippet paragraph)
    {
        var script = Parser.ParseInput(paragraph.Text, out _, out var errors);
        Assert.True(errors.Length == 0, $"{paragraph}: {string.Join<ParseError>("; ", errors)}");

        foreach (var statement in script.EndBlock.Statements)
        {
            var where = $"{paragraph.File}:{paragraph.Line + statement.Extent.StartLineNumber - 1}: {statement.Extent.Text}\n";

            var count = Run(session, statement.Extent.Text, where);
            Assert.True(count > 0 || !GivesSomething(statement), $"{where}gave nothing");

            if (SieveOf(statement) is { } sieved)
            {
                Assert.True(Run(session, sieved, where) > 0, $"{where}gave nothing to be filtered");
            }
        }
    }

    private static int Run(Session session, string code, string where)
    {
        using var pipeline = session.Pipeline(code);

        try
        {
            var count = pipeline.Invoke().Count;
            Assert.True(pipeline.Streams.Error.Count == 0, where + string.Join('\n', pipeline.Streams.Error));
            return count;
        }
        catch (RuntimeException e)
        {
            Assert.Fail(where + e.ErrorRecord);
            throw;
        }
    }

    private static bool GivesSomething(StatementAst statement) =>
        !statement.Extent.Text.EndsWith("Findings", StringComparison.Ordinal) // of what is sound
        && statement is PipelineAst pipeline && pipeline.PipelineElements[^1] switch
        {
            CommandAst command => command.GetCommandName() is var name && !Sieves.Contains(name ?? "") && name != "Import-Module"
                && !HasParameter(command, "WhatIf") && !HasParameter(command, Sieve),
            CommandExpressionAst { Expression: InvokeMemberExpressionAst { Member.Extent.Text: "Dispose" } } => false,
            _ => true,
        };

    /// <summary>The part of a pipeline that its last command, or a parameter of it, filters.</summary>
    private static string? SieveOf(StatementAst statement) => statement switch
    {
        PipelineAst { PipelineElements: { Count: > 1 } elements } when elements[^1] is CommandAst last && last.GetCommandName() == "Where-Object" =>
            string.Join(" | ", elements.SkipLast(1).Select(element => element.Extent.Text)),
        PipelineAst { PipelineElements: [.., CommandAst last] } when HasParameter(last, Sieve) =>
            statement.Extent.Text.Replace($" -{Sieve}", "", StringComparison.Ordinal),
        _ => null,
    };

    private static bool HasParameter(CommandAst command, string name) =>
        command.CommandElements.OfType<CommandParameterAst>().Any(parameter => parameter.ParameterName == name);
}
