using System.Collections;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// The checkpoints that a pipeline begins with, while it is being typed. Nothing is run for that but commands of ours that read an index, with
/// arguments that stand there or are in variables.
/// </summary>
internal static class PipedCheckpoint
{
    /// <param name="command">The command of which an argument is completed.</param>
    /// <param name="bound">The arguments that it has.</param>
    public static IReadOnlyList<LlamaCheckpoint> Find(CommandAst command, IDictionary bound)
    {
        if (StaticValue.Unwrap(bound["Checkpoint"]) is LlamaCheckpoint checkpoint)
        {
            return [checkpoint];
        }

        return command.Parent is PipelineAst { PipelineElements: [var first, ..] } && first != command ? Find(first) : [];
    }

    private static IReadOnlyList<LlamaCheckpoint> Find(CommandBaseAst first) => first switch
    {
        CommandExpressionAst { Expression: ParenExpressionAst { Pipeline: PipelineAst { PipelineElements: [var only] } } } => Find(only),
        CommandExpressionAst held => StaticValue.Of(held.Expression) switch
        {
            LlamaCheckpoint checkpoint => [checkpoint],
            IList list => [.. list.Cast<object?>().Select(StaticValue.Unwrap).OfType<LlamaCheckpoint>()],
            _ => [],
        },
        CommandAst reader => ReaderCall.Run(reader),
        _ => [],
    };
}
