using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Runs a script in a process of its own, for what a process can do only once: load an assembly first.</summary>
internal static class ScriptProcess
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    /// <summary>Runs a script that must succeed.</summary>
    /// <returns>The lines that it printed.</returns>
    public static IReadOnlyList<string> Run(string script, params string[] arguments)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["script.ps1"], script);

        var start = new ProcessStartInfo("dotnet", [Repository.ScriptHost, folder["script.ps1"], .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();

        if (!process.WaitForExit(Hang))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("the script hangs");
        }

        Assert.True(process.ExitCode == 0, output.GetAwaiter().GetResult() + error.GetAwaiter().GetResult());
        return output.GetAwaiter().GetResult().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
