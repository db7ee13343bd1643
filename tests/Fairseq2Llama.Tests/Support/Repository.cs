using System.Reflection;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Where things are. The build wrote it down, so that tests run from any directory.</summary>
internal static class Repository
{
    public static string Root { get; } = Metadata("RepositoryRoot");

    public static string StagedModule { get; } = Path.Combine(Root, "output", "Fairseq2Llama", "Fairseq2Llama.psd1");

    /// <summary>pwsh.dll of the PowerShell that the tool manifest names.</summary>
    public static string PowerShell { get; } = Path.Combine(Metadata("PowerShellFolder"), OperatingSystem.IsWindows() ? "win" : "unix", "pwsh.dll");

    /// <summary>System.IO.Hashing in another version than the module brings.</summary>
    public static string OtherHashing { get; } = Metadata("OtherHashingAssembly");

    /// <summary>The builds of llama.cpp, for every system and processor.</summary>
    public static string LlamaCpp { get; } = Metadata("LlamaCpp");

    /// <summary>A module with the SDKs of stores in other versions than the module brings.</summary>
    public static string OtherModule { get; } = Metadata("OtherModule");

    public static string Data(string relativePath) => Path.Combine(Root, "tests", "data", relativePath.Replace('/', Path.DirectorySeparatorChar));

    /// <summary>The folder of a case of tests/data/checkpoints.</summary>
    public static string Case(string name) => Data($"checkpoints/{name}");

    /// <summary>A path, on the drive of this program: under Wine, a path that Linux wrote down has none.</summary>
    private static string Metadata(string key) => Path.GetFullPath(
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!,
        AppContext.BaseDirectory);
}
