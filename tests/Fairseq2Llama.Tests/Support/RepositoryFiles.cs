using System.IO.Enumeration;

namespace Fairseq2Llama.Tests.Support;

/// <summary>The files of the repository that people wrote, and not a build.</summary>
internal static class RepositoryFiles
{
    private static readonly HashSet<string> Built = ["bin", "obj", "output", "artifacts", "TestResults", ".git", ".vs", ".idea"];

    /// <summary>Where the README and the examples let people write, in the root.</summary>
    private static readonly HashSet<string> Worked = ["converted", "downloads", "hf", "out", "reports", "runs"];

    /// <summary>Relative paths with forward slashes.</summary>
    public static IReadOnlyList<string> All { get; } =
        [.. Walk(Repository.Root)
            .Select(file => Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'))
            .Order(StringComparer.Ordinal)];

    public static IEnumerable<string> WithExtension(params string[] extensions) =>
        All.Where(file => extensions.Contains(Path.GetExtension(file)));

    /// <summary>Files that a path with wildcards names, or that lie in a folder which it names.</summary>
    public static IEnumerable<string> Matches(string path) =>
        All.Where(file => FileSystemName.MatchesSimpleExpression(path, file, ignoreCase: false)
            || FileSystemName.MatchesSimpleExpression($"{path}/*", file, ignoreCase: false));

    public static string FullPath(string file) => Path.Combine(Repository.Root, file);

    public static string Read(string file) => File.ReadAllText(FullPath(file)).ReplaceLineEndings("\n");

    private static IEnumerable<string> Walk(string folder) =>
        Directory.EnumerateFiles(folder).Concat(Directory.EnumerateDirectories(folder).Where(IsWritten).SelectMany(Walk));

    private static bool IsWritten(string folder) => Path.GetFileName(folder) is var name
        && !Built.Contains(name) && !(Worked.Contains(name) && Path.GetDirectoryName(folder) == Path.TrimEndingDirectorySeparator(Repository.Root));
}
