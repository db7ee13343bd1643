using System.Runtime.ExceptionServices;

namespace Fairseq2Llama.Transfer;

/// <summary>
/// Does pieces of work on a few threads. The caller's is one of them, and the only one on which progress is reported, because PowerShell takes
/// it from no other.
/// </summary>
/// <param name="report">Told on the caller's thread how much was done since it was told last.</param>
/// <param name="cancellationToken">Stops it.</param>
internal sealed class Workers(Action<long> report, CancellationToken cancellationToken)
{
    /// <summary>Two already keep up with cp; each has buffers of its own.</summary>
    private const int MaxThreads = 4;

    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100);

    private readonly int _caller = Environment.CurrentManagedThreadId;
    private Exception? _failure;
    private long _unreported;

    /// <param name="work">Pieces of work, begun in this order.</param>
    /// <param name="isParallel">Whether there is enough of it for several threads.</param>
    /// <param name="run">Does a piece; may be called from several threads at once. Its token is cancelled when another piece has failed, too.</param>
    /// <exception cref="Exception">
    /// What failed first, a piece or a report. It comes when no piece is running any more, since what they use may be taken away then.
    /// </exception>
    public void Run<T>(IReadOnlyList<T> work, bool isParallel, Action<T, CancellationToken> run)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var next = -1;
        var others = isParallel ? Math.Clamp(work.Count - 1, 0, Math.Min(Environment.ProcessorCount, MaxThreads) - 1) : 0;
        var threads = new List<Task>();

        Attempt(() => threads.AddRange(Enumerable.Range(0, others).Select(_ => Task.Factory.StartNew(() => Attempt(RunRest), TaskCreationOptions.LongRunning))));
        Attempt(RunRest);

        while (!Task.WaitAll([.. threads], ReportInterval))
        {
            Attempt(Report);
        }

        Attempt(Report);

        if (_failure is not null)
        {
            ExceptionDispatchInfo.Throw(_failure);
        }

        void RunRest()
        {
            while (Interlocked.Increment(ref next) is var index && index < work.Count)
            {
                stop.Token.ThrowIfCancellationRequested();
                run(work[index], stop.Token);
            }
        }

        void Attempt(Action step)
        {
            try
            {
                step();
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref _failure, e, null);
                stop.Cancel();
            }
        }
    }

    /// <summary>To be called by each piece of work now and then.</summary>
    /// <param name="count">How much it has done since.</param>
    /// <exception cref="OperationCanceledException">Another piece has failed.</exception>
    public void Done(long count)
    {
        Interlocked.Add(ref _unreported, count);

        if (Volatile.Read(ref _failure) is not null)
        {
            throw new OperationCanceledException();
        }

        if (Environment.CurrentManagedThreadId == _caller)
        {
            Report();
        }
    }

    private void Report()
    {
        if (_failure is null && Interlocked.Exchange(ref _unreported, 0) is > 0 and var count)
        {
            report(count);
        }
    }
}
