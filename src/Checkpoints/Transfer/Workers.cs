using System.Runtime.ExceptionServices;

namespace Fairseq2Llama.Transfer;

/// <summary>
/// Does pieces of work on a few threads. That of the caller only waits for them and reports progress, because PowerShell takes it from no other.
/// </summary>
/// <param name="report">Told on the caller's thread how much was done since it was told last.</param>
/// <param name="cancellationToken">Stops it.</param>
internal sealed class Workers(Action<long> report, CancellationToken cancellationToken)
{
    /// <summary>Stops it.</summary>
    public CancellationToken CancellationToken => cancellationToken;

    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100);

    private long _unreported;

    /// <summary>Two already keep up with cp; each has buffers of its own.</summary>
    private static int MaxCount => Math.Min(Environment.ProcessorCount, 4);

    /// <param name="work">Pieces of work, begun in this order.</param>
    /// <param name="isParallel">Whether there is enough of it for several threads.</param>
    /// <param name="run">
    /// Does a piece; may be called from several threads at once. Its token is cancelled when another piece has failed, too, and it has to look at it
    /// with every chunk.
    /// </param>
    /// <exception cref="Exception">
    /// What failed first, a piece or a report. It comes when no piece is running any more, since what they use may be removed then.
    /// </exception>
    public void Run<T>(IReadOnlyList<T> work, bool isParallel, Action<T, CancellationToken> run)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Exception? failure = null;
        var begun = 0;
        var count = Math.Min(work.Count, isParallel ? MaxCount : 1);
        var workers = Task.WhenAll(Enumerable.Range(0, count).Select(_ => Task.Run(() => Attempt(RunRest), CancellationToken.None)));

        while (!workers.Wait(ReportInterval, CancellationToken.None))
        {
            Attempt(Report);
        }

        Attempt(Report);

        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        void RunRest()
        {
            while (Interlocked.Increment(ref begun) is var number && number <= work.Count)
            {
                stop.Token.ThrowIfCancellationRequested();
                run(work[number - 1], stop.Token);
            }
        }

        void Report()
        {
            if (!stop.IsCancellationRequested && Interlocked.Exchange(ref _unreported, 0) is > 0 and var count)
            {
                report(count);
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
                // The others end with an OperationCanceledException each, which comes later.
                Interlocked.CompareExchange(ref failure, e, null);
                stop.Cancel();
            }
        }
    }

    /// <summary>To be called by each piece of work now and then.</summary>
    /// <param name="count">How much it has done since.</param>
    public void Done(long count) => Interlocked.Add(ref _unreported, count);
}
