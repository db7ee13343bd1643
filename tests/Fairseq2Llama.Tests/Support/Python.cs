using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>The first Python on this machine that can import what is asked of it.</summary>
/// <param name="imports">What a script says to import it.</param>
internal sealed class Python(string imports)
{
    private readonly Lazy<string?> _interpreter = new(() =>
        new[] { Environment.GetEnvironmentVariable("FAIRSEQ2LLAMA_PYTHON"), "/usr/bin/python3", "python3" }
            .FirstOrDefault(candidate => !string.IsNullOrEmpty(candidate) && Run(candidate, imports).ExitCode == 0));

    public bool IsInstalled => _interpreter.Value is not null;

    /// <summary>Runs a script; its arguments are in sys.argv[1:].</summary>
    /// <returns>What it printed.</returns>
    public string Ask(string script, params string[] arguments)
    {
        Assert.NotNull(_interpreter.Value);

        var (exitCode, output, error) = Run(_interpreter.Value, script, arguments);
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
