using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A machine as a scheduler gives it to jobs, with PowerShell, the module, and a folder that all jobs share.</summary>
internal sealed class Worker : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private readonly TempFolder _folder = new();

    public Worker()
    {
        CategoryAttribute.Require();
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a POSIX shell");

        CheckpointFolder.CopyRun(_folder["run"]);
        WritePowerShell("");
    }

    /// <summary>The folder, which is where everything runs. A training run is in it as <c>run</c>.</summary>
    public string this[string relativePath] => _folder[relativePath];

    /// <summary>Installs pwsh.</summary>
    /// <param name="before">What it runs before PowerShell, in sh.</param>
    public void WritePowerShell(string before)
    {
        var pwsh = Path.Combine(Directory.CreateDirectory(_folder["bin"]).FullName, "pwsh");
        File.WriteAllText(pwsh, $"#!/bin/sh\n{before}\nexec dotnet '{Repository.PowerShell}' \"$@\"\n");

        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(pwsh, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Runs a command in the folder.</summary>
    /// <returns>Its exit code and what it printed.</returns>
    public (int ExitCode, string Output, string Error) Run(IEnumerable<string> command, params (string Name, string Value)[] environment)
    {
        // env finds the command in the PATH of the job, and not in that of this process.
        var start = new ProcessStartInfo("env", command)
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        (string Name, string Value)[] own =
        [
            ("PATH", $"{_folder["bin"]}:{Environment.GetEnvironmentVariable("PATH")}"),
            ("PSModulePath", Path.GetDirectoryName(Path.GetDirectoryName(Repository.StagedModule))!),
            ("POWERSHELL_TELEMETRY_OPTOUT", "1"),
            ("POWERSHELL_UPDATECHECK", "Off"),
        ];

        foreach (var (name, value) in own.Concat(environment))
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();

        if (!process.WaitForExit(Hang))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"'{string.Join(' ', start.ArgumentList)}' hangs");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    /// <summary>Runs a command that must succeed.</summary>
    /// <returns>What it printed.</returns>
    public string RunSuccessfully(IEnumerable<string> command, params (string Name, string Value)[] environment)
    {
        var (exitCode, output, error) = Run(command, environment);
        Assert.True(exitCode == 0, output + error);
        return output.Trim();
    }

    /// <summary>Exports the run in one piece and compares a folder with that.</summary>
    public void AssertEqualsWholeExport(string folder, ExportOptions options)
    {
        CheckpointExport.Plan(Fairseq2Checkpoint.Read(_folder["run"]), _folder["whole"], options).Execute();
        Assert.Equal(CheckpointFolder.Snapshot(_folder["whole"]), CheckpointFolder.Snapshot(_folder[folder]));
    }

    public void Dispose() => _folder.Dispose();
}
