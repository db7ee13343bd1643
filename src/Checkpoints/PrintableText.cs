using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Fairseq2Llama;

/// <summary>
/// Messages quote text from files. A file must not be able to control the terminal, to flood it, or to send commands to the agent of
/// Azure Pipelines, which reads the output.
/// </summary>
internal static partial class PrintableText
{
    public const int MaxLength = 8192;

    public static string Of(string text)
    {
        var shown = text.Length <= MaxLength ? text : string.Concat(text.AsSpan(0, MaxLength), " …");
        shown = IsPrintable(shown) ? shown : string.Concat(shown.EnumerateRunes().Select(rune => IsUnprintable(rune) ? Rune.ReplacementChar : rune));
        return LoggingCommand().Replace(shown, "## ");
    }

    public static bool IsPrintable(string text) => !text.EnumerateRunes().Any(IsUnprintable);

    /// <summary>
    /// Control characters; what ends a line; and what can't be seen but makes text read as another, as by running the other way. Those that
    /// join letters (U+200C, U+200D) are part of how some languages are written.
    /// </summary>
    private static bool IsUnprintable(Rune rune) => rune.Value is not (0x200C or 0x200D) && (Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        || rune.Value is 0x115F or 0x1160 or 0x3164 or 0xFFA0); // letters of Hangul that are shown as nothing

    /// <summary>##vso[task.setvariable …] is obeyed anywhere in a line, ##[section] at its beginning.</summary>
    [GeneratedRegex(@"##(?=(vso)?\[)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex LoggingCommand();
}
