using System.ComponentModel;
using System.Diagnostics;

namespace Fairseq2Llama.Benchmark;

/// <summary>Runs programs and tells what they took.</summary>
internal static class ChildProcess
{
    /// <summary>The peak only ever grows, so all that can be missed is what a process takes in its last moments.</summary>
    private static readonly TimeSpan PeakInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs a program that must succeed.</summary>
    /// <exception cref="BenchmarkException">It does not.</exception>
    public static Sample Measure(IReadOnlyList<string> command)
    {
        var watch = Stopwatch.StartNew();
        using var process = Start(command);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        var peak = Task.Run(() => WatchPeak(process.Id));

        process.WaitForExit();
        watch.Stop();

        return process.ExitCode == 0
            ? new Sample(watch.Elapsed.TotalSeconds, peak.GetAwaiter().GetResult())
            : throw new BenchmarkException($"{string.Join(' ', command)} failed: {error.GetAwaiter().GetResult()}{output.GetAwaiter().GetResult()}");
    }

    /// <summary>What a program prints; null when there is no such program, or it fails.</summary>
    public static string? Ask(params IReadOnlyList<string> command)
    {
        try
        {
            using var process = Start(command);
            process.StandardInput.Close();
            _ = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output.Trim() : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Starts a program whose three streams are ours.</summary>
    public static Process Start(IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // What pwsh would send and look for on the network is not what is to be timed.
        start.Environment["POWERSHELL_TELEMETRY_OPTOUT"] = "1";
        start.Environment["POWERSHELL_UPDATECHECK"] = "Off";
        return Process.Start(start)!;
    }

    /// <summary>Of a process that runs: the most memory that it had resident so far.</summary>
    public static long? PeakOf(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return process.PeakWorkingSet64 is > 0 and var peak ? peak : null;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private static async Task<long?> WatchPeak(int processId)
    {
        long? peak = null;

        while (PeakOf(processId) is { } now)
        {
            peak = now;
            await Task.Delay(PeakInterval);
        }

        return peak;
    }
}
