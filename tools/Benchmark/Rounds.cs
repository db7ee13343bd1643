using System.Globalization;
using Fairseq2Llama.Benchmark.Contestants;

namespace Fairseq2Llama.Benchmark;

/// <summary>Lets contestants run in turn, again and again, so that whatever else the machine does hits all of them alike.</summary>
internal sealed class Rounds(Workspace workspace, int count, CancellationToken cancellationToken)
{
    public IReadOnlyList<Measurement> Run(IReadOnlyList<IContestant> contestants)
    {
        var spaces = WarmUp(contestants);
        var samples = contestants.Select(_ => new List<Sample>()).ToArray();

        for (var round = 1; round <= count; round++)
        {
            foreach (var (contestant, its) in contestants.Zip(samples))
            {
                if (its.Count < contestant.MaxRounds)
                {
                    its.Add(Run(contestant));
                    Log($"round {round} of {count}: {contestant.Name} {its[^1].Seconds:0.000} s");
                }
            }
        }

        return [.. contestants.Select((contestant, i) => new Measurement(contestant.Name, samples[i], spaces[i]))];
    }

    /// <summary>
    /// A round that does not count: programs and input come into memory, and JIT compilers to an end. Only here is it found out what
    /// outputs take on the disk, because for that they have to be written there, which the other rounds need not wait for.
    /// </summary>
    private List<UsedSpace?> WarmUp(IReadOnlyList<IContestant> contestants)
    {
        var spaces = new List<UsedSpace?>();

        foreach (var contestant in contestants)
        {
            UsedSpace? space = null;

            if (contestant.MaxRounds == int.MaxValue)
            {
                Run(contestant, (destination, before) => space = Path.Exists(destination) ? new UsedSpace(before, workspace.Settle()) : null);
                Log($"warm-up: {contestant.Name}");
            }

            spaces.Add(space);
        }

        return spaces;
    }

    private Sample Run(IContestant contestant, Action<string, long>? look = null)
    {
        cancellationToken.ThrowIfCancellationRequested();

        var destination = workspace.NewPath();
        var used = workspace.Settle();

        try
        {
            var sample = contestant.Run(destination);
            look?.Invoke(destination, used);
            return sample;
        }
        finally
        {
            Workspace.Remove(destination);
        }
    }

    private static void Log(FormattableString message) => Console.Error.WriteLine(message.ToString(CultureInfo.InvariantCulture));
}
