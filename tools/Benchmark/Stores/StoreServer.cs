using System.Diagnostics;
using System.Globalization;

namespace Fairseq2Llama.Benchmark.Stores;

/// <summary>The server of the tests that speaks the protocol of S3, in a process of its own. It keeps objects in memory.</summary>
internal sealed class StoreServer : IDisposable
{
    private readonly Process _process = ChildProcess.Start(["dotnet", Path.Combine(AppContext.BaseDirectory, "Fairseq2Llama.S3Server.dll")]);
    private readonly Task<string> _error;

    public StoreServer()
    {
        _error = _process.StandardError.ReadToEndAsync();
        Address = new Uri(ReadLine());
    }

    /// <summary>Where it is.</summary>
    public Uri Address { get; }

    /// <summary>Adds a time to each request.</summary>
    public void SetLatency(int milliseconds) => Do(string.Create(CultureInfo.InvariantCulture, $"latency {milliseconds}"));

    /// <summary>Uploads what lies in a folder.</summary>
    public void Put(string prefix, string folder) => Do($"put {prefix} {folder}");

    /// <summary>Removes all objects whose keys begin so.</summary>
    public void Remove(string prefix) => Do($"remove {prefix}");

    /// <summary>What was asked of it since this was last called.</summary>
    public Traffic TakeTraffic()
    {
        var numbers = Ask("count").Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        return new Traffic(numbers[0], numbers[1], numbers[2]);
    }

    public void Dispose()
    {
        // That is how it learns that it is no longer needed.
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Do(string command)
    {
        if (Ask(command) is not "done" and var reply)
        {
            throw new BenchmarkException($"The server of the benchmark answered '{command}' with '{reply}'.");
        }
    }

    private string Ask(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        return ReadLine();
    }

    private string ReadLine() =>
        _process.StandardOutput.ReadLine() ?? throw new BenchmarkException($"The server of the benchmark has ended: {_error.GetAwaiter().GetResult()}");
}
