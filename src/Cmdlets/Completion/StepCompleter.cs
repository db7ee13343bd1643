using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Completes the finished steps of the training run that the command is to read, the newest first.</summary>
public sealed class StepCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Of(
            wordToComplete,
            from path in Resolve(fakeBoundParameters).Distinct()
            from step in Fairseq2Checkpoint.FindSteps(path)
            group path by step into step
            select (step.Key.ToString(CultureInfo.InvariantCulture), $"step {step.Key} of {string.Join(", ", step)}"));

    private static IEnumerable<string> Resolve(IDictionary bound) =>
    [
        .. CompletionRunspace.Invoke<string>(
            "param($Path) foreach ($it in $Path) { if ($ExecutionContext.InvokeProvider.Item.Exists($it, $true, $true))"
            + " { $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($it) }"
            + " else { $ExecutionContext.SessionState.Path.GetResolvedProviderPathFromPSPath($it, [ref] $null) } }",
            bound[nameof(PathCmdlet.Path)]),
        .. CompletionRunspace.Invoke<string>(
            "param($Path) foreach ($it in $Path) { $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($it) }",
            bound[nameof(PathCmdlet.LiteralPath)]),
    ];
}
