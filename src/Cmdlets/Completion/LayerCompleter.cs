using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Completes decoder layers of the checkpoint that the command is given, as far as that is known while typing.</summary>
public sealed class LayerCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Of(
            wordToComplete,
            from tensor in KnownTensors.Find(commandAst, fakeBoundParameters)
            where tensor.Layer is not null
            group tensor by tensor.Layer!.Value into layer
            orderby layer.Key
            let number = layer.Key.ToString(CultureInfo.InvariantCulture)
            select (number, $"layer {number}: {Display.Count(layer.Count(), "tensor")}, {Display.Size(layer.Sum(tensor => tensor.SizeInBytes))}"));
}
