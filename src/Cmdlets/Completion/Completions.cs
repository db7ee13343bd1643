using System.Management.Automation;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Turns candidates into the completions that Tab offers.</summary>
internal static class Completions
{
    /// <summary>Those of the candidates that begin as the word does, quoted where the shell would take them apart.</summary>
    /// <param name="wordToComplete">The typed text, perhaps with a quote before it.</param>
    /// <param name="candidates">Texts with what is shown of them beside the list.</param>
    public static IEnumerable<CompletionResult> Of(string wordToComplete, IEnumerable<(string Text, string ToolTip)> candidates)
    {
        var typed = wordToComplete.Trim('\'', '"');
        var pattern = WildcardPattern.Get((typed.AsSpan().ContainsAny('*', '?') ? typed : WildcardPattern.Escape(typed)) + "*", WildcardOptions.IgnoreCase);

        return
            from candidate in candidates
            where pattern.IsMatch(candidate.Text)
            let text = candidate.Text.All(IsPlain) ? candidate.Text : $"'{CodeGeneration.EscapeSingleQuotedStringContent(candidate.Text)}'"
            select new CompletionResult(text, candidate.Text, CompletionResultType.ParameterValue, candidate.ToolTip);
    }

    private static bool IsPlain(char character) => char.IsAsciiLetterOrDigit(character) || character is '_' or '.' or '-' or '/';
}
