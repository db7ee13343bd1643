using System.Collections.Concurrent;

namespace Fairseq2Llama.Tests.Transfer;

public class WorkersTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(false, 10)]
    [InlineData(true, 10)]
    [InlineData(true, 1)]
    [InlineData(true, 0)]
    public void Does_every_piece_once_and_reports_on_the_thread_of_the_caller(bool isParallel, int count)
    {
        var (caller, done, reported) = (Environment.CurrentManagedThreadId, new ConcurrentBag<int>(), 0L);
        var workers = new Workers(bytes =>
        {
            Assert.Equal(caller, Environment.CurrentManagedThreadId);
            reported += bytes;
        }, CancellationToken.None);

        workers.Run([.. Enumerable.Range(0, count)], isParallel, (piece, _) =>
        {
            Assert.NotEqual(caller, Environment.CurrentManagedThreadId);
            done.Add(piece);
            workers.Done(7);
        });

        Assert.Equal(Enumerable.Range(0, count), done.Order());
        Assert.Equal(count * 7, reported);
    }

    [Fact]
    public void Works_on_two_pieces_at_once()
    {
        Assert.SkipWhen(Environment.ProcessorCount == 1, "needs two processors");
        using var both = new Barrier(2);

        new Workers(_ => { }, CancellationToken.None).Run([1, 2], isParallel: true, (_, token) => Assert.True(both.SignalAndWait(Hang, token)));
    }

    [Fact]
    public void Ends_all_pieces_when_one_fails_and_says_why()
    {
        Assert.SkipWhen(Environment.ProcessorCount == 1, "needs two processors");
        using var both = new Barrier(2);
        var workers = new Workers(_ => { }, CancellationToken.None);
        var ended = 0;

        var error = Assert.Throws<IOException>(() => workers.Run([0, 1, 2, 3], isParallel: true, (piece, token) =>
        {
            Assert.True(both.SignalAndWait(Hang, token));

            if (piece == 1)
            {
                throw new IOException("full");
            }

            try
            {
                Assert.True(token.WaitHandle.WaitOne(Hang));
                token.ThrowIfCancellationRequested();
            }
            finally
            {
                ended++;
            }
        }));

        Assert.Equal("full", error.Message);
        Assert.Equal(1, ended);
    }

    /// <summary>PowerShell throws where progress is reported once Ctrl+C was pressed.</summary>
    [Fact]
    public void Waits_for_all_pieces_when_a_report_fails()
    {
        var running = 0;
        var workers = new Workers(_ => throw new InvalidOperationException("stopped"), CancellationToken.None);

        var error = Assert.Throws<InvalidOperationException>(() => workers.Run([0, 1], isParallel: true, (_, cancellationToken) =>
        {
            Interlocked.Increment(ref running);
            workers.Done(1);
            Assert.True(cancellationToken.WaitHandle.WaitOne(Hang));
            Thread.Sleep(50);
            Interlocked.Decrement(ref running);
        }));

        Assert.Equal("stopped", error.Message);
        Assert.Equal(0, running);
    }

    /// <summary>As with Ctrl+C.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Waits_for_all_pieces_when_it_is_cancelled(bool isParallel)
    {
        using var cancellation = new CancellationTokenSource();
        var (begun, ended) = (0, 0);

        Assert.ThrowsAny<OperationCanceledException>(() => new Workers(_ => { }, cancellation.Token).Run([.. Enumerable.Range(0, 100)], isParallel, (_, token) =>
        {
            Interlocked.Increment(ref begun);
            cancellation.Cancel();
            Assert.True(token.WaitHandle.WaitOne(Hang));
            Interlocked.Increment(ref ended);
        }));

        Assert.InRange(begun, 1, isParallel ? 4 : 1);
        Assert.Equal(begun, ended);
    }
}
