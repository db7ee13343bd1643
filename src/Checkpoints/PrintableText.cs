namespace Fairseq2Llama;

/// <summary>What is said to people quotes what stands in files, and a file must be able neither to talk to the terminal nor to flood it.</summary>
internal static class PrintableText
{
    public const int MaxLength = 8192;

    public static string Of(string text)
    {
        var shown = text.Length <= MaxLength ? text : string.Concat(text.AsSpan(0, MaxLength), " …");
        return shown.Any(char.IsControl) ? string.Concat(shown.Select(c => char.IsControl(c) ? '\uFFFD' : c)) : shown;
    }
}
