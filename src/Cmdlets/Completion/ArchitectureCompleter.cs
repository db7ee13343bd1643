using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Completes the names that Get-LlamaArchitecture lists; those of fairseq2 assets only where no architecture is called so.</summary>
public sealed class ArchitectureCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var names = LlamaArchitectures.All.Select(architecture => (architecture.Name, Architecture: architecture));
        var assets = LlamaArchitectures.All.SelectMany(architecture => architecture.AssetNames.Select(name => (Name: name, Architecture: architecture)));

        return new[] { names, assets }
            .Select(candidates => Completions.Of(wordToComplete, candidates.Select(candidate => (candidate.Name, Describe(candidate.Architecture)))))
            .FirstOrDefault(results => results.Any(), []);
    }

    private static string Describe(LlamaArchitecture architecture) => string.Create(
        CultureInfo.InvariantCulture,
        $"{architecture.Name}: {Display.Count(architecture.ParameterCount)} parameters, {Display.Count(architecture.NumLayers, "layer")} of {architecture.ModelDim}");
}
