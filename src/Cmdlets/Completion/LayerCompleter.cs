using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Completes decoder layers of the checkpoint that is piped to the command, as far as that is known while typing.</summary>
public sealed class LayerCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Of(
            wordToComplete,
            from tensor in PipedCheckpoint.Find(commandAst, fakeBoundParameters).SelectMany(checkpoint => checkpoint.Tensors)
            where tensor.Layer is not null
            group tensor by tensor.Layer!.Value into layer
            orderby layer.Key
            let number = layer.Key.ToString(CultureInfo.InvariantCulture)
            select (number, $"layer {number}: {layer.Count()} tensors, {Display.Size(layer.Sum(tensor => tensor.SizeInBytes))}"));
}
