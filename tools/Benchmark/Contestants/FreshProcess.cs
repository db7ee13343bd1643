namespace Fairseq2Llama.Benchmark.Contestants;

/// <summary>A program that is started for it, from the start of its process to the end.</summary>
/// <param name="name">What it does.</param>
/// <param name="command">The program and its arguments, given the destination.</param>
internal sealed class FreshProcess(string name, Func<string, IReadOnlyList<string>> command) : IContestant
{
    public string Name => name;

    public int MaxRounds { get; init; } = int.MaxValue;

    public Sample Run(string destination) => ChildProcess.Measure(command(destination));
}
