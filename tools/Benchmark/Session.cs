using System.Diagnostics;
using System.Globalization;

namespace Fairseq2Llama.Benchmark;

/// <summary>A PowerShell session with the module imported, which takes commands as long as it lives.</summary>
internal sealed class Session : IDisposable
{
    private const string Prefix = "seconds: ";

    private readonly Process _process;
    private readonly Task<string> _error;

    public Session()
    {
        _process = ChildProcess.Start(PowerShellProgram.CommandFor(Path.Combine(AppContext.BaseDirectory, "Scripts", "session.ps1"), Repository.Module));
        _error = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>Runs a command, which must succeed.</summary>
    public Sample Run(string command)
    {
        try
        {
            _process.StandardInput.WriteLine(command);
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has ended; why, it has said elsewhere.
        }

        while (_process.StandardOutput.ReadLine() is { } line)
        {
            if (line.StartsWith(Prefix, StringComparison.Ordinal))
            {
                return new Sample(double.Parse(line.AsSpan(Prefix.Length), CultureInfo.InvariantCulture), ChildProcess.PeakOf(_process.Id));
            }
        }

        throw new BenchmarkException($"{command} failed: {_error.GetAwaiter().GetResult()}");
    }

    public void Dispose()
    {
        // That is how it learns that no more commands come.
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
