using System.Collections.Immutable;
using System.Text;

namespace Fairseq2Llama.Signing;

/// <summary>A file of a model that is signed.</summary>
/// <param name="Name">Its path in the folder of the model, with slashes.</param>
/// <param name="Sha256">The SHA-256 of its content, in lower-case hexadecimal digits.</param>
internal readonly record struct ModelResource(string Name, string Sha256)
{
    private const int HashDigits = 64;

    /// <summary>The order of Unicode code points, which the specification demands. That of UTF-16 differs beyond U+FFFF.</summary>
    public static IComparer<string> Order { get; } =
        Comparer<string>.Create((first, second) => Encoding.UTF8.GetBytes(first).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(second)));

    /// <summary>Why it can't be a file in the folder of a model.</summary>
    /// <returns>The rest of a sentence that begins with its name; null if it can.</returns>
    public string? FindProblem()
    {
        // A drive or a backslash would lead elsewhere on Windows only, where the same signature must mean the same.
        if (Name.Contains('\\') || Name is [_, ':', ..] || Name.Split('/').Any(part => part is "" or "." or ".."))
        {
            return "is not a path within the folder of the model";
        }

        if (!PrintableText.IsPrintable(Name))
        {
            return "has a character that can't be shown";
        }

        return Sha256.Length == HashDigits && Sha256.All(char.IsAsciiHexDigit) ? null : "has no SHA-256 of 64 hexadecimal digits";
    }

    /// <summary>Whether a path is one of these, or lies in it.</summary>
    public static bool IsWithin(string name, ImmutableArray<string> paths) =>
        paths.Any(path => name.StartsWith(path, StringComparison.Ordinal) && (name.Length == path.Length || name[path.Length] == '/'));
}
