using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Completes sizes of files, to show how they are written.</summary>
public sealed class ByteSizeCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Of(
            wordToComplete,
            [
                ("5GB", "5,000,000,000 bytes, the default"),
                ("5GiB", "5,368,709,120 bytes"),
                ("500MB", "500,000,000 bytes"),
                ("50GB", "50,000,000,000 bytes"),
            ]);
}
