namespace Fairseq2Llama.Benchmark.Contestants;

/// <summary>A command as the first one in a session with the module imported, where nothing is compiled yet; its own clock counts.</summary>
/// <param name="name">What it does.</param>
/// <param name="command">The command, given the destination.</param>
internal sealed class FreshSession(string name, Func<string, string> command) : IContestant
{
    public string Name => name;

    public Sample Run(string destination)
    {
        using var session = new Session();
        return session.Run(command(destination));
    }
}
