using System.Collections.Concurrent;
using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A script in a PowerShell process of its own, for what a process can do only once: load an assembly first, be killed.</summary>
internal sealed class ScriptProcess : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    private readonly TempFolder _folder = new();
    private readonly Process _process;
    private readonly BlockingCollection<string> _lines = [];
    private readonly Task<string> _error;

    private ScriptProcess(string script, string[] arguments, string[] wrapper, string? powerShell = null)
    {
        CategoryAttribute.Require();
        File.WriteAllText(_folder["script.ps1"], script);
        _folder.OpenToAll();

        string[] command =
        [
            .. wrapper, "dotnet", powerShell ?? Repository.PowerShell, "-NoProfile", "-NonInteractive", "-File", _folder["script.ps1"], .. arguments,
        ];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        start.Environment["NO_COLOR"] = "1";

        // No test should wait for a network, nor show up in statistics.
        start.Environment["POWERSHELL_TELEMETRY_OPTOUT"] = "1";
        start.Environment["POWERSHELL_UPDATECHECK"] = "Off";

        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, received) =>
        {
            if (received.Data is null)
            {
                _lines.CompleteAdding();
            }
            else if (received.Data.Trim() is { Length: > 0 } line)
            {
                _lines.Add(line);
            }
        };

        _process.Start();
        _process.BeginOutputReadLine();
        _process.StandardInput.Close();
        _error = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>Runs a script that must succeed.</summary>
    /// <returns>The lines that it printed.</returns>
    public static IReadOnlyList<string> Run(string script, params string[] arguments)
    {
        using var process = new ScriptProcess(script, arguments, []);
        return process.WaitForSuccess();
    }

    /// <summary>Starts a script.</summary>
    /// <param name="script">The script.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="wrapper">A command that runs another one, as <c>strace -f</c>.</param>
    public static ScriptProcess Start(string script, string[] arguments, params string[] wrapper) => new(script, arguments, wrapper);

    /// <summary>Starts a script as another user, who may not look into the folder of NuGet packages.</summary>
    /// <param name="powerShell">pwsh.dll, where that user finds it.</param>
    /// <param name="script">The script.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="wrapper">A command that runs another one as that user.</param>
    public static ScriptProcess StartAs(string powerShell, string script, string[] arguments, params string[] wrapper) =>
        new(script, arguments, wrapper, powerShell);

    /// <summary>Waits for the next line that it prints.</summary>
    public string ReadLine()
    {
        Assert.True(_lines.TryTake(out var line, Hang), $"the script hangs or has ended: {(_process.HasExited ? _error.GetAwaiter().GetResult() : "")}");
        return line;
    }

    /// <summary>Waits until it has ended and must have succeeded.</summary>
    /// <returns>The lines that it printed and that were not read.</returns>
    public IReadOnlyList<string> WaitForSuccess()
    {
        var lines = WaitForEnd();
        Assert.True(_process.ExitCode == 0, string.Join('\n', lines) + _error.GetAwaiter().GetResult());
        return lines;
    }

    /// <summary>Waits until it has ended.</summary>
    /// <returns>The lines that it printed and that were not read.</returns>
    public IReadOnlyList<string> WaitForEnd()
    {
        Assert.True(_process.WaitForExit(Hang), "the script hangs");
        return [.. _lines.GetConsumingEnumerable()];
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
        _lines.Dispose();
        _folder.Dispose();
    }
}
