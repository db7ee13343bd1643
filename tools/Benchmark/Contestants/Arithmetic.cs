namespace Fairseq2Llama.Benchmark.Contestants;

/// <summary>What looks at numbers, beside what reads as many bytes and does not.</summary>
internal sealed class Arithmetic : IDisposable
{
    private readonly List<Session> _sessions = [];

    public IEnumerable<IContestant> Contestants(MadeCheckpoint checkpoint)
    {
        yield return Session(ContestantNames.DeepSession, _ => ModuleCommands.TestDeep(checkpoint));
        yield return Session(ContestantNames.MeasureSession, _ => ModuleCommands.Measure(checkpoint));
        yield return Session(ContestantNames.CompareBitsSession, _ => ModuleCommands.Compare(checkpoint));
        yield return Session(ContestantNames.CompareNumbersSession, _ => ModuleCommands.Compare(checkpoint, " -Tolerance 0"));
        yield return Session(ContestantNames.NarrowSession, destination => ModuleCommands.Cast(checkpoint, destination, DType.Float16));
        yield return Session(ContestantNames.WidenSession, destination => ModuleCommands.Cast(checkpoint, destination, DType.Float32));
    }

    public void Dispose() => _sessions.ForEach(session => session.Dispose());

    private RunningSession Session(string name, Func<string, string> command)
    {
        var session = new Session();
        _sessions.Add(session);
        return new RunningSession(name, session, command);
    }
}
