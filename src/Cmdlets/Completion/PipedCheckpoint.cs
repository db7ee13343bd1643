using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// The checkpoints that a pipeline begins with, while it is being typed. Nothing is run for that but commands of ours that read an index, with
/// arguments that stand there or are in variables.
/// </summary>
internal static class PipedCheckpoint
{
    private static readonly string[] Readers = ["Read-Fairseq2Checkpoint", "Read-LlamaReferenceCheckpoint", "Read-LlamaHuggingFaceCheckpoint"];

    /// <param name="command">The command of which an argument is completed.</param>
    /// <param name="bound">The arguments that it has.</param>
    public static IReadOnlyList<LlamaCheckpoint> Find(CommandAst command, IDictionary bound)
    {
        var given = bound["Checkpoint"];

        if ((given is PSObject wrapped ? wrapped.BaseObject : given) is LlamaCheckpoint checkpoint)
        {
            return [checkpoint];
        }

        return command.Parent is PipelineAst { PipelineElements: [var first, ..] } && first != command && IsHarmless(first)
            ? CompletionRunspace.Invoke<LlamaCheckpoint>(first.Extent.Text)
            : [];
    }

    private static bool IsHarmless(CommandBaseAst first) => first switch
    {
        CommandExpressionAst { Expression: VariableExpressionAst } => true,
        CommandAst { Redirections.Count: 0 } reader =>
            Readers.Contains(reader.GetCommandName(), StringComparer.OrdinalIgnoreCase) && reader.CommandElements.Skip(1).All(IsValue),
        _ => false,
    };

    private static bool IsValue(Ast ast) => ast switch
    {
        ConstantExpressionAst or VariableExpressionAst => true,
        CommandParameterAst parameter => parameter.Argument is null || IsValue(parameter.Argument),
        ArrayLiteralAst list => list.Elements.All(IsValue),
        _ => false,
    };
}
