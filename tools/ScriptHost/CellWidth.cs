namespace ScriptHost;

/// <summary>How many columns a character takes: East Asian wide ones take two.</summary>
internal static class CellWidth
{
    private static readonly (char First, char Last)[] Wide =
    [
        ('\u1100', '\u115f'), // Hangul Jamo
        ('\u2e80', '\u303e'), // CJK radicals and punctuation
        ('\u3040', '\ua4cf'), // Kana, CJK ideographs, Yi
        ('\uac00', '\ud7a3'), // Hangul syllables
        ('\uf900', '\ufaff'), // CJK compatibility ideographs
        ('\ufe30', '\ufe6f'), // CJK compatibility forms
        ('\uff01', '\uff60'), // fullwidth forms
        ('\uffe0', '\uffe6'), // fullwidth signs
    ];

    public static int Of(char c) => c >= Wide[0].First && Array.Exists(Wide, range => c >= range.First && c <= range.Last) ? 2 : 1;

    public static int Of(ReadOnlySpan<char> text)
    {
        int width = 0;
        foreach (char c in text)
            width += Of(c);
        return width;
    }
}
