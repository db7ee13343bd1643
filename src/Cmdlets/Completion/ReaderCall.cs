using System.Management.Automation;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>A command of ours that reads an index, at the beginning of a pipeline that is being typed.</summary>
internal static class ReaderCall
{
    /// <summary>
    /// The only ones that are passed on. The common ones could ask or set variables, and without a path the command would ask for one.
    /// </summary>
    private static readonly string[] Parameters = ["Path", "LiteralPath", "Step", "AllSteps", "Architecture", "ConfigPath"];

    /// <summary>Runs it, if it is one of ours and its arguments stand there or are in variables.</summary>
    public static IReadOnlyList<LlamaCheckpoint> Run(CommandAst command)
    {
        if (command.Redirections.Count > 0 || command.GetCommandName() is not { } name || Resolve(name) is not { } reader)
        {
            return [];
        }

        var bound = StaticParameterBinder.BindCommand(command, resolve: true).BoundParameters;
        var arguments = Parameters.Where(bound.ContainsKey).Select(parameter => (Name: parameter, bound[parameter].Value)).ToArray();

        if (!arguments.Any(argument => argument.Name is "Path" or "LiteralPath") || !arguments.All(argument => argument.Value is null || IsValue(argument.Value)))
        {
            return [];
        }

        // A switch has no value, or one after a colon.
        var text = string.Join(' ', arguments.Select(argument => argument.Value is null ? $"-{argument.Name}" : $"-{argument.Name}:{argument.Value.Extent.Text}"));
        return CompletionRunspace.Invoke<LlamaCheckpoint>($"param($Reader) & $Reader {text}", reader);
    }

    /// <summary>The command itself and not its name, which may be that of a function of somebody else's.</summary>
    private static CmdletInfo? Resolve(string name)
    {
        const string Script =
            "param($Name) $PSModuleAutoLoadingPreference = 'None';"
            + " $ExecutionContext.SessionState.InvokeCommand.GetCommand($Name, 'Alias, Function, Filter, Cmdlet')";

        var command = CompletionRunspace.Invoke<CommandInfo>(Script, name) is [var only] ? only : null;

        return (command is AliasInfo alias ? alias.ResolvedCommand : command) is CmdletInfo cmdlet && cmdlet.ImplementingType.IsSubclassOf(typeof(ReadCommand))
            ? cmdlet
            : null;
    }

    private static bool IsValue(Ast ast) => ast switch
    {
        ConstantExpressionAst or VariableExpressionAst => true,
        ArrayLiteralAst list => list.Elements.All(IsValue),
        _ => false,
    };
}
