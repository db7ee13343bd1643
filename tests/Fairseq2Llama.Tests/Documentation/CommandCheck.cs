using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text.RegularExpressions;

namespace Fairseq2Llama.Tests.Documentation;

/// <summary>
/// Holds PowerShell against the module without running it: does it parse, are there these commands, have they these parameters.
/// </summary>
/// <param name="commands">The commands of the module.</param>
internal sealed partial class CommandCheck(IReadOnlyDictionary<string, CmdletInfo> commands)
{
    /// <summary>What is wrong, each with file and line.</summary>
    public IEnumerable<string> Of(Snippet snippet)
    {
        var script = Parser.ParseInput(snippet.Text, out _, out var errors);
        var functions = script.FindAll(ast => ast is FunctionDefinitionAst, searchNestedScriptBlocks: true)
            .Select(ast => ((FunctionDefinitionAst)ast).Name).ToHashSet(StringComparer.OrdinalIgnoreCase);

        return errors.Select(error => $"{Place(error.Extent)}: {error.Message}").Concat(
            from CommandAst command in script.FindAll(ast => ast is CommandAst, searchNestedScriptBlocks: true)
            let name = command.GetCommandName()
            where name is not null && !functions.Contains(name)
            from mistake in MistakesOf(command, name)
            select mistake);

        string Place(IScriptExtent extent) => $"{snippet.File}:{snippet.Line + extent.StartLineNumber - 1}";

        IEnumerable<string> MistakesOf(CommandAst command, string name)
        {
            if (!commands.TryGetValue(name, out var known))
            {
                return LooksLikeOurs().IsMatch(name) ? [$"{Place(command.Extent)}: there is no {name}"] : [];
            }

            return
                from parameter in command.CommandElements.OfType<CommandParameterAst>()
                where !known.Parameters.ContainsKey(parameter.ParameterName)
                select $"{Place(parameter.Extent)}: {name} has no -{parameter.ParameterName}";
        }
    }

    [GeneratedRegex(@"^\w+-(Llama|Fairseq2|Checkpoint|TensorView)", RegexOptions.IgnoreCase)]
    private static partial Regex LooksLikeOurs();
}
