namespace Fairseq2Llama.Tests.Support;

/// <summary>Makes links for tests, which are skipped where there can be none: Windows lets only some users make them, and Wine does as if it did.</summary>
internal static class SymbolicLink
{
    private const int PrivilegeNotHeld = unchecked((int)0x80070522);

    public static void ToFile(string path, string target) => Make(() => File.CreateSymbolicLink(path, target));

    public static void ToFolder(string path, string target) => Make(() => Directory.CreateSymbolicLink(path, target));

    private static void Make(Func<FileSystemInfo> make)
    {
        try
        {
            var link = make();
            link.Refresh();
            Assert.SkipWhen(OperatingSystem.IsWindows() && link.LinkTarget is null, "needs symbolic links, which Wine can't make");
        }
        catch (IOException e) when (e.HResult == PrivilegeNotHeld)
        {
            Assert.Skip("needs the privilege to make symbolic links, which Windows gives to administrators and, in its developer mode, to everybody");
        }
    }
}
