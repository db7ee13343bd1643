using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Sees and disturbs the system calls of a process. Where it is not installed such tests are skipped, except in CI, where it must be there.</summary>
internal static class Strace
{
    private static readonly Lazy<bool> IsThere = new(() =>
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("strace", ["-f", "true"]) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    });

    /// <summary>What comes before a command: <see cref="ScriptProcess.Start"/>.</summary>
    /// <param name="log">Where it writes what it sees.</param>
    /// <param name="calls">The system calls to look at; those that this processor does not have begin with a question mark.</param>
    /// <param name="injection">What to do to renames, as <c>delay_enter=1000</c>.</param>
    public static string[] Command(string log, string calls, string? injection = null)
    {
        Assert.SkipUnless(IsThere.Value || Environment.GetEnvironmentVariable("CI") is not null, "needs strace");
        Assert.True(IsThere.Value, "needs strace");

        return
        [
            "strace", "-f", "--seccomp-bpf", "-qq", "-y", "-o", log, "-e", $"trace={calls}",
            .. injection is null ? Array.Empty<string>() : ["-e", $"inject={Renames}:{injection}"],
        ];
    }

    public const string Renames = "?rename,?renameat,?renameat2";
}
