using System.Diagnostics;
using Fairseq2Llama.Benchmark.Contestants;

namespace Fairseq2Llama.Benchmark.Stores;

/// <summary>Something that the library does in the process of the benchmark. What memory it takes can't be told.</summary>
/// <param name="name">What it does.</param>
/// <param name="work">Does it.</param>
internal sealed class InThisProcess(string name, Action work) : IContestant
{
    public string Name => name;

    public Sample Run(string destination)
    {
        var watch = Stopwatch.StartNew();
        work();
        return new Sample(watch.Elapsed.TotalSeconds, PeakBytes: null);
    }
}
