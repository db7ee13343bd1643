using System.ComponentModel;
using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// The library of failing_calls.c, made with the machine's C compiler. Where there is none such tests are skipped; in CI there must be one.
/// </summary>
internal static class FailingCalls
{
    /// <summary>What comes before a command: <see cref="ScriptProcess.Start"/>.</summary>
    /// <param name="under">Calls that concern something under this path can fail.</param>
    /// <param name="scratch">Gets the library, and a file "log" of the calls that failed.</param>
    public static string[] Command(string under, TempFolder scratch)
    {
        CategoryAttribute.Require();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "libraries are preloaded on Linux");
        var source = Path.Combine(Repository.Root, "tests", "Fairseq2Llama.Tests", "Lossless", "failing_calls.c");
        var isMade = TryRun("cc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", scratch["failing_calls.so"], source, "-ldl");
        Assert.SkipWhen(isMade is null && Environment.GetEnvironmentVariable("CI") is null, "needs a C compiler");
        Assert.True(isMade, "failing_calls.c can't be compiled");

        return
        [
            "env",
            $"LD_PRELOAD={scratch["failing_calls.so"]}",
            $"FAILING_CALLS_UNDER={under}",
            $"FAILING_CALLS_LOG={scratch["log"]}",
        ];
    }

    /// <returns>Whether it succeeded; null where there is no such command.</returns>
    private static bool? TryRun(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
