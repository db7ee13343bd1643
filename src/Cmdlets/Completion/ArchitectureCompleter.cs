using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Completes names of architectures, then of the fairseq2 assets that have them.</summary>
public sealed class ArchitectureCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var names = LlamaArchitectures.All.Select(architecture => (architecture.Name, Architecture: architecture));
        var assets = LlamaArchitectures.All.SelectMany(architecture => architecture.AssetNames.Select(name => (Name: name, Architecture: architecture)));

        return Completions.Of(
            wordToComplete, names.Concat(assets).DistinctBy(candidate => candidate.Name).Select(candidate => (candidate.Name, Describe(candidate.Architecture))));
    }

    private static string Describe(LlamaArchitecture architecture) => string.Create(
        CultureInfo.InvariantCulture,
        $"{architecture.Name}: {Display.Count(architecture.ParameterCount)} parameters, {architecture.NumLayers} layers of {architecture.ModelDim}");
}
