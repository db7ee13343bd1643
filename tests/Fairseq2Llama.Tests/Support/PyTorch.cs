using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Asks real PyTorch. Where it is not installed such tests are skipped, except in CI, where it must be there.</summary>
internal static class PyTorch
{
    private static readonly Lazy<string?> Interpreter = new(() =>
        new[] { Environment.GetEnvironmentVariable("FAIRSEQ2LLAMA_PYTHON"), "/usr/bin/python3", "python3" }
            .FirstOrDefault(candidate => !string.IsNullOrEmpty(candidate) && Run(candidate, "import torch").ExitCode == 0));

    /// <summary>Runs a script with torch; its arguments are in sys.argv[1:].</summary>
    /// <returns>What it printed.</returns>
    public static string Ask(string script, params string[] arguments)
    {
        if (Interpreter.Value is null && Environment.GetEnvironmentVariable("CI") is null)
        {
            Assert.Skip("needs Python with PyTorch; set FAIRSEQ2LLAMA_PYTHON to an interpreter that has it");
        }

        Assert.NotNull(Interpreter.Value);

        var (exitCode, output, error) = Run(Interpreter.Value, script, arguments);
        Assert.True(exitCode == 0, error);
        return output.Trim();
    }

    private static (int ExitCode, string Output, string Error) Run(string interpreter, string script, params string[] arguments)
    {
        var start = new ProcessStartInfo(interpreter, ["-c", script, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.GetAwaiter().GetResult());
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, "", e.Message);
        }
    }
}
