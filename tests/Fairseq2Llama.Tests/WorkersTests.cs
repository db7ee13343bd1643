using System.Collections.Concurrent;

namespace Fairseq2Llama.Tests;

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
        });

        workers.Run([.. Enumerable.Range(0, count)], isParallel, piece =>
        {
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

        new Workers(_ => { }).Run([1, 2], isParallel: true, _ => Assert.True(both.SignalAndWait(Hang)));
    }

    [Fact]
    public void Ends_all_pieces_when_one_fails_and_says_why()
    {
        Assert.SkipWhen(Environment.ProcessorCount == 1, "needs two processors");
        using var both = new Barrier(2);
        var workers = new Workers(_ => { });
        var ended = 0;

        var error = Assert.Throws<IOException>(() => workers.Run([0, 1, 2, 3], isParallel: true, piece =>
        {
            Assert.True(both.SignalAndWait(Hang));

            if (piece == 1)
            {
                throw new IOException("full");
            }

            try
            {
                while (true)
                {
                    workers.Done(1);
                }
            }
            finally
            {
                ended++;
            }
        }));

        Assert.Equal("full", error.Message);
        Assert.Equal(1, ended);
    }
}
