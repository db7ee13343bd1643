using Fairseq2Llama.Benchmark.Contestants;

namespace Fairseq2Llama.Benchmark.Stores;

/// <summary>Something to be timed that talks to servers.</summary>
/// <param name="work">What it does.</param>
/// <param name="servers">All servers that it talks to.</param>
/// <param name="latency">Milliseconds that they add to each request.</param>
internal sealed class StoreContestant(IContestant work, IReadOnlyList<StoreServer> servers, int latency) : IContestant
{
    /// <summary>Where it may write, on every server.</summary>
    public const string Output = "out/";

    public string Name { get; } = $"{work.Name}, {latency} ms";

    /// <summary>What the servers were asked, the last time.</summary>
    public Traffic Traffic { get; private set; }

    public Sample Run(string destination)
    {
        foreach (var server in servers)
        {
            server.Remove(Output);
            server.SetLatency(latency);
            server.TakeTraffic();
        }

        var sample = work.Run(destination);
        Traffic = servers.Select(server => server.TakeTraffic()).Aggregate((sum, traffic) => sum + traffic);
        return sample;
    }
}
