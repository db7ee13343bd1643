namespace Fairseq2Llama.Benchmark.Contestants;

/// <summary>A command in a PowerShell session that runs on from round to round; its own clock counts.</summary>
/// <param name="name">What it does.</param>
/// <param name="session">A session of its own, or the peak of its memory would be another's.</param>
/// <param name="command">The command, given the destination.</param>
internal sealed class RunningSession(string name, Session session, Func<string, string> command) : IContestant
{
    public string Name => name;

    public Sample Run(string destination) => session.Run(command(destination));
}
