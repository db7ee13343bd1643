using System.Globalization;
using System.Runtime.InteropServices;

namespace Fairseq2Llama.Benchmark;

/// <summary>What the figures depend on beside the code.</summary>
internal static class Machine
{
    /// <summary>Each thing and what it is.</summary>
    /// <param name="more">What else the figures depend on, beside what they always do.</param>
    public static IEnumerable<(string Name, string Value)> Describe(params IReadOnlyList<(string Name, string Value)> more) =>
    [
        ("processor", string.Create(CultureInfo.InvariantCulture, $"{FindProcessor()}, {Environment.ProcessorCount} cores")),
        ("memory", Units.Size(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)),
        ("system", $"{RuntimeInformation.OSDescription}, {ChildProcess.Ask("uname", "-sr") ?? Environment.OSVersion.VersionString}"),
        .. more,
        ("PowerShell", PowerShellProgram.Description),
        ("date", DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
    ];

    /// <summary>What figures of files depend on.</summary>
    public static IReadOnlyList<(string Name, string Value)> DescribeFiles(Workspace workspace) =>
    [
        ("file system", new DriveInfo(workspace.Path).DriveFormat + (workspace.CanShare ? ", shares blocks" : ", does not share blocks")),
        ("cp", ChildProcess.Ask("cp", "--version")?.Split('\n')[0] ?? "of the operating system"),
    ];

    private static string FindProcessor()
    {
        const string CpuInfo = "/proc/cpuinfo";

        var model = File.Exists(CpuInfo)
            ? File.ReadLines(CpuInfo).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
            : OperatingSystem.IsMacOS()
                ? ChildProcess.Ask("sysctl", "-n", "machdep.cpu.brand_string")
                : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");

        return model ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
