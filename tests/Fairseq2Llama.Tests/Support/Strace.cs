using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Sees and disturbs the system calls of a process. Where it can't be used such tests are skipped; in CI it must be installed.</summary>
internal static class Strace
{
    public const string Renames = "?rename,?renameat,?renameat2";

    /// <summary>Whether it works; null where it is not installed.</summary>
    private static readonly Lazy<bool?> IsUsable = new(() =>
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
            return null;
        }
    });

    /// <summary>What comes before a command: <see cref="ScriptProcess.Start"/>.</summary>
    /// <param name="log">Where it writes what it sees.</param>
    /// <param name="calls">The system calls to look at; those that this processor does not have begin with a question mark.</param>
    /// <param name="injection">What to do to some of them, as <c>rename:delay_enter=1000</c>.</param>
    public static string[] Command(string log, string calls, string? injection = null)
    {
        CategoryAttribute.Require();
        Assert.SkipWhen(IsUsable.Value is null && Environment.GetEnvironmentVariable("CI") is null, "needs strace");
        Assert.SkipWhen(IsUsable.Value == false, "no process may trace another one here");
        Assert.True(IsUsable.Value, "needs strace");

        return
        [
            "strace", "-f", "--seccomp-bpf", "-qq", "-y", "-o", log, "-e", $"trace={calls}",
            .. injection is null ? Array.Empty<string>() : ["-e", $"inject={injection}"],
        ];
    }
}
