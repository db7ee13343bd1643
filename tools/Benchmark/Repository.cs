using System.Reflection;

namespace Fairseq2Llama.Benchmark;

/// <summary>Where things are. The build wrote it down, so that it runs from any directory.</summary>
internal static class Repository
{
    public static string Root { get; } = Metadata("RepositoryRoot");

    /// <summary>The module as the build has staged it.</summary>
    public static string Module { get; } = Path.Combine(Root, "output", "Fairseq2Llama");

    /// <summary>pwsh.dll of the PowerShell that the tool manifest names.</summary>
    public static string PowerShell { get; } = Path.Combine(Metadata("PowerShellFolder"), OperatingSystem.IsWindows() ? "win" : "unix", "pwsh.dll");

    private static string Metadata(string key) =>
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
