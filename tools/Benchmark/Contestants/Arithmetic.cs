namespace Fairseq2Llama.Benchmark.Contestants;

/// <summary>What libtorch does. A machine where it can't be loaded leaves it out.</summary>
internal sealed class Arithmetic : IDisposable
{
    private readonly List<Session> _sessions = [];

    public IEnumerable<IContestant> Contestants(MadeCheckpoint checkpoint)
    {
        yield return Session(ContestantNames.CompareBitsSession, _ => ModuleCommands.Compare(checkpoint));

        if (IsAvailable())
        {
            yield return Session(ContestantNames.NarrowSession, destination => ModuleCommands.Cast(checkpoint, destination, DType.Float16));
            yield return Session(ContestantNames.WidenSession, destination => ModuleCommands.Cast(checkpoint, destination, DType.Float32));
            yield return Session(ContestantNames.MeasureSession, _ => ModuleCommands.Measure(checkpoint));
            yield return Session(ContestantNames.CompareNumbersSession, _ => ModuleCommands.Compare(checkpoint, " -Tolerance 0"));
        }
    }

    public void Dispose() => _sessions.ForEach(session => session.Dispose());

    private RunningSession Session(string name, Func<string, string> command)
    {
        var session = new Session();
        _sessions.Add(session);
        return new RunningSession(name, session, command);
    }

    private static bool IsAvailable()
    {
        using var session = new Session();

        try
        {
            session.Run($"Read-Fairseq2Checkpoint -LiteralPath '{Path.Combine(Repository.Root, "examples", "tiny-llama")}' | Measure-CheckpointTensor");
            return true;
        }
        catch (BenchmarkException e)
        {
            Console.Error.WriteLine($"Casts and statistics are left out. {e.Message}");
            return false;
        }
    }
}
