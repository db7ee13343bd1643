using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Slurm on this machine alone, started when a test first needs it. Where it is not installed such tests are skipped; in CI it must be.</summary>
public sealed class Slurm : IDisposable
{
    private static readonly string[] Programs = ["munged", "slurmctld", "slurmd", "sbatch"];
    private static readonly string[] SystemFolders = ["/usr/sbin", "/sbin"];
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private readonly Lazy<(Process Process, string Configuration)> _cluster = new(Start);

    /// <summary>The variable that sbatch and other programs find it by.</summary>
    public (string Name, string Value) Variable => ("SLURM_CONF", _cluster.Value.Configuration);

    /// <summary>It ends when its input does, and so also when this process is killed.</summary>
    public void Dispose()
    {
        if (_cluster.IsValueCreated)
        {
            using var process = _cluster.Value.Process;
            process.StandardInput.Close();
            Assert.True(process.WaitForExit(Hang), "Slurm does not end");
        }
    }

    private static (Process Process, string Configuration) Start()
    {
        CategoryAttribute.Require();
        var missing = Programs.Where(program => !IsInstalled(program)).ToArray();
        Assert.SkipWhen(
            missing.Length > 0 && Environment.GetEnvironmentVariable("CI") is null, $"needs Slurm, of which {string.Join(", ", missing)} is missing; see tests/start-slurm.sh");

        var process = Process.Start(new ProcessStartInfo("bash", [Path.Combine(Repository.Root, "tests", "start-slurm.sh")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var line = process.StandardOutput.ReadLineAsync();

        Assert.True(line.Wait(Hang), "Slurm hangs");
        return line.Result is { } text
            ? (process, text.Split('=', 2)[1])
            : throw new InvalidOperationException($"Slurm does not start: {error.Result}");
    }

    private static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Concat(SystemFolders).Any(folder => File.Exists(Path.Combine(folder, program)));
}
