using System.Text.RegularExpressions;

namespace Fairseq2Llama.Stores.Local;

/// <summary>Names that Windows does not take, changes without a word, or takes for devices ("Naming Files, Paths, and Namespaces" in its documentation).</summary>
internal static partial class WindowsNames
{
    private const int MaxLength = 255;

    private static readonly char[] NotAllowed = ['<', '>', ':', '"', '|', '?', '*', .. Enumerable.Range(1, 31).Select(code => (char)code)];

    /// <summary>Does nothing on other systems.</summary>
    /// <param name="path">A path to be written to.</param>
    /// <param name="names">The names of files to be written there.</param>
    /// <exception cref="CheckpointException">A part of the path, or one of the names, can't be the name of a file or folder.</exception>
    public static void Require(string path, IEnumerable<string> names)
    {
        if (OperatingSystem.IsWindows() && names.Prepend(path).Select(FindProblem).FirstOrDefault(problem => problem is not null) is { } problem)
        {
            throw new CheckpointException(CheckpointErrorCode.WriteFailed, $"'{path}' can't be written: {problem}. Choose another name.", path);
        }
    }

    /// <summary>The first part of a path that can't be the name of a file or folder, and why.</summary>
    /// <param name="path">A path.</param>
    /// <returns>Null if all can be.</returns>
    public static string? FindProblem(string path) =>
        Root().Replace(path, "").Split('\\', '/').Where(name => name is not ("" or "." or "..")).Select(ProblemOf).FirstOrDefault(problem => problem is not null);

    private static string? ProblemOf(string name) =>
        name[^1] is ' ' or '.' ? $"'{name}' ends with a {(name[^1] == '.' ? "dot" : "space")}, which Windows removes"
        : Device().IsMatch(name) ? $"'{name}' is a device on Windows"
        : name.Length > MaxLength ? $"'{name}' has {name.Length} characters, and no name on Windows may have more than {MaxLength}"
        : name.IndexOfAny(NotAllowed) is >= 0 and var index ? $"'{name}' contains {(char.IsControl(name[index]) ? "a control character" : name[index])}, which no name on Windows may contain"
        : null;

    /// <summary>The drive, and prefixes that make Windows take the rest as it is.</summary>
    [GeneratedRegex(@"\A(\\\\[?.]\\)?([A-Za-z]:)?", RegexOptions.CultureInvariant)]
    private static partial Regex Root();

    /// <summary>Also with an extension, as NUL.txt, and with spaces before it.</summary>
    [GeneratedRegex(@"\A(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9\u00B9\u00B2\u00B3]) *(\.|\z)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Device();
}
