namespace Fairseq2Llama;

/// <summary>What is said to people quotes what stands in files, and a file must be able neither to talk to the terminal nor to flood it.</summary>
internal static class PrintableText
{
    public const int MaxLength = 8192;

    public static string Of(string text)
    {
        var shown = text.Length <= MaxLength ? text : string.Concat(text.AsSpan(0, MaxLength), " …");
        return shown.Any(IsUnprintable) ? string.Concat(shown.Select(c => IsUnprintable(c) ? '\uFFFD' : c)) : shown;
    }

    /// <summary>Control characters, and what makes text run the other way so that it reads as another.</summary>
    private static bool IsUnprintable(char c) => char.IsControl(c) || c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');
}
