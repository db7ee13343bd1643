using System.Globalization;
using System.Runtime.InteropServices;

namespace Fairseq2Llama.Benchmark;

/// <summary>What the figures depend on beside the code.</summary>
internal static class Machine
{
    /// <summary>Each thing and what it is.</summary>
    public static IEnumerable<(string Name, string Value)> Describe(Workspace workspace, PyTorch pytorch) =>
    [
        ("processor", string.Create(CultureInfo.InvariantCulture, $"{FindProcessor()}, {Environment.ProcessorCount} cores")),
        ("memory", Units.Size(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)),
        ("system", $"{RuntimeInformation.OSDescription}, {ChildProcess.Ask("uname", "-sr") ?? Environment.OSVersion.VersionString}"),
        ("file system", new DriveInfo(workspace.Path).DriveFormat + (workspace.CanShare ? ", shares blocks" : ", does not share blocks")),
        ("cp", ChildProcess.Ask("cp", "--version")?.Split('\n')[0] ?? "of the operating system"),
        ("PowerShell", PowerShellProgram.Description),
        ("PyTorch", pytorch.Description),
        ("date", DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
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
