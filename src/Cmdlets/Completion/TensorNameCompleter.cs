using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Completes names of tensors of the checkpoint that the command is given, as far as that is known while typing.</summary>
public sealed class TensorNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        parameterName == nameof(GetCheckpointTensorCommand.Path) && !KnownTensors.ArePiped(commandAst)
            ? CompletionCompleters.CompleteFilename(wordToComplete)
            : Completions.Of(
                wordToComplete,
                KnownTensors.Find(commandAst, fakeBoundParameters)
                    .DistinctBy(tensor => tensor.Name)
                    .Select(tensor => (WildcardPattern.Escape(tensor.Name), $"{tensor.Name}: {Display.Name(tensor.DType)} {tensor.Shape}, {Display.Size(tensor.SizeInBytes)}")));
}
