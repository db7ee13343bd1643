using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// The tensors of the checkpoints that a command is given, while it is being typed: by its arguments, or by what its pipeline begins with. Nothing is run
/// for that but commands of ours that read an index, with arguments that stand there or are in variables.
/// </summary>
internal static class KnownTensors
{
    private static readonly CmdletInfo GetTensors = new("Get-CheckpointTensor", typeof(GetCheckpointTensorCommand));

    /// <param name="command">The command of which an argument is completed.</param>
    /// <param name="bound">The arguments that it has.</param>
    public static IEnumerable<CheckpointTensor> Find(CommandAst command, IDictionary bound)
    {
        if (ArePiped(command))
        {
            return Find(((PipelineAst)command.Parent).PipelineElements[0]).SelectMany(checkpoint => checkpoint.Tensors);
        }

        return (bound["Checkpoint"] ?? bound["Path"]) is { } given
            ? CompletionRunspace.Invoke<CheckpointTensor>("param($GetTensors, $Given) & $GetTensors $Given -WarningAction Ignore", GetTensors, given)
            : [];
    }

    /// <summary>Whether something is piped to a command.</summary>
    public static bool ArePiped(CommandAst command) => command.Parent is PipelineAst { PipelineElements: [var first, ..] } && first != command;

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
