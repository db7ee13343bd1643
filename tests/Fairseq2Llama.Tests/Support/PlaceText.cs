namespace Fairseq2Llama.Tests.Support;

/// <summary>What is said of a place, to be compared with what is said of another one: a folder of any system, a store.</summary>
internal static class PlaceText
{
    public static string Of(IEnumerable<string> lines, string root) =>
        string.Join('\n', lines).Replace(root, "ROOT", StringComparison.Ordinal).Replace(Path.DirectorySeparatorChar, '/');
}
