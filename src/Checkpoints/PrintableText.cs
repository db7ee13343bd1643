using System.Globalization;
using System.Text.RegularExpressions;

namespace Fairseq2Llama;

/// <summary>
/// What is said to people quotes what stands in files, and a file must not be able to talk to the terminal, to flood it, or to command the agent of
/// Azure Pipelines that reads along.
/// </summary>
internal static partial class PrintableText
{
    public const int MaxLength = 8192;

    public static string Of(string text)
    {
        var shown = text.Length <= MaxLength ? text : string.Concat(text.AsSpan(0, MaxLength), " …");
        shown = shown.Any(IsUnprintable) ? string.Concat(shown.Select(c => IsUnprintable(c) ? '\uFFFD' : c)) : shown;
        return LoggingCommand().Replace(shown, "## ");
    }

    /// <summary>
    /// Control characters; what ends a line; and what can't be seen but makes text read as another, as by running the other way. Those that
    /// join letters (U+200C, U+200D) are part of how some languages are written.
    /// </summary>
    public static bool IsUnprintable(char c) => c is not ('\u200C' or '\u200D') && char.GetUnicodeCategory(c) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    /// <summary>##vso[task.setvariable …] is obeyed anywhere in a line, ##[section] at its beginning.</summary>
    [GeneratedRegex(@"##(?=(vso)?\[)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex LoggingCommand();
}
