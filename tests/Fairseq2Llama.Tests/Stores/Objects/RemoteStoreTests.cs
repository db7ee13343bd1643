using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.Objects;

/// <summary>What may go wrong between a store and its reader: either the bytes are right, or there is an error.</summary>
public sealed class RemoteStoreTests
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))];

    private readonly HastyClock _clock = new();

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void What_fails_for_a_while_is_tried_again(int failures)
    {
        var client = new FaultyClient(Bytes) { OnRequest = number => number <= failures ? throw Busy() : null };

        Assert.Equal(Bytes[100..200], Read(client, 100, 100));
        Assert.Equal(failures + 1, client.Requests);
        Assert.Equal(failures, _clock.Delays.Count);
    }

    [Fact]
    public void It_is_left_alone_for_longer_each_time()
    {
        var client = new FaultyClient(Bytes) { OnRequest = number => number <= 4 ? throw Busy() : null };

        Read(client, 0, 10);

        Assert.All(_clock.Delays.Zip([0.2, 0.4, 0.8, 1.6]), pair => Assert.InRange(pair.First.TotalSeconds, pair.Second * 0.49, pair.Second * 1.51));
    }

    [Fact]
    public void Nobody_is_asked_again_sooner_than_the_store_wants()
    {
        var client = new FaultyClient(Bytes) { OnRequest = number => number == 1 ? throw Busy(TimeSpan.FromSeconds(7)) : null };

        Read(client, 0, 10);

        Assert.Equal([TimeSpan.FromSeconds(7)], _clock.Delays);
    }

    [Fact]
    public void It_is_given_up_after_five_times()
    {
        var client = new FaultyClient(Bytes) { OnRequest = _ => throw Busy() };

        var error = Assert.Throws<StoreException>(() => Read(client, 0, 10));

        Assert.Equal("The store is busy. It was tried 5 times.", error.Message);
        Assert.Equal(5, client.Requests);
    }

    [Theory]
    [InlineData((int)StoreFailure.Denied)]
    [InlineData((int)StoreFailure.Refused)]
    [InlineData((int)StoreFailure.Unlistable)]
    public void What_can_never_succeed_is_not_tried_again(int failure)
    {
        var client = new FaultyClient(Bytes) { OnRequest = _ => throw new StoreException((StoreFailure)failure, "No.") };

        Assert.Equal("No.", Assert.Throws<StoreException>(() => Read(client, 0, 10)).Message);
        Assert.Equal(1, client.Requests);
    }

    /// <summary>The body ends, or the connection is reset, again and again; what has come is not asked for twice.</summary>
    [Theory]
    [InlineData(Body.Cut)]
    [InlineData(Body.Reset)]
    public void A_broken_reply_goes_on_behind_its_last_byte(Body body)
    {
        var client = new FaultyClient(Bytes) { OnRequest = number => number <= 3 ? new Reply { Body = body, After = 100 } : null };

        Assert.Equal(Bytes[50..850], Read(client, 50, 800));
        Assert.Equal([new(50, 800), new(150, 700), new(250, 600), new(350, 500)], client.Ranges);
    }

    [Theory]
    [InlineData(200, "bytes 100-199/1000", "status 200 instead of 206")]
    [InlineData(206, null, "no valid Content-Range")]
    [InlineData(206, "bytes 100-198/1000", "bytes 100-199/1000")]
    [InlineData(206, "bytes 0-99/1000", "bytes 100-199/1000")]
    [InlineData(206, "bytes 100-199/2000", "bytes 100-199/1000")]
    public void A_reply_with_something_else_is_an_error(int status, string? contentRange, string expected)
    {
        var client = new FaultyClient(Bytes) { OnRequest = _ => new Reply { Status = status, ContentRange = contentRange, HasContentRange = true } };

        Assert.Contains(expected, Assert.Throws<StoreException>(() => Read(client, 100, 100)).Message, StringComparison.Ordinal);
    }

    /// <summary>Of a small file a server may send all without further ado, and of a file of which nobody knows the length the length is not told.</summary>
    [Theory]
    [InlineData(200, null, 0, 1000)]
    [InlineData(206, "bytes 100-199/*", 100, 100)]
    public void A_reply_that_is_right_after_all_is_taken(int status, string? contentRange, int offset, int length)
    {
        var client = new FaultyClient(Bytes) { OnRequest = _ => new Reply { Status = status, ContentRange = contentRange, HasContentRange = true } };

        Assert.Equal(Bytes[offset..(offset + length)], Read(client, offset, length));
    }

    [Fact]
    public void Another_version_is_not_read()
    {
        var client = new FaultyClient(Bytes) { OnRequest = _ => new Reply { Version = "\"other\"" } };

        Assert.False(TryRead(client, 0, new byte[10]));
    }

    [Fact]
    public void What_stalls_can_be_stopped()
    {
        using var stop = new CancellationTokenSource();
        var client = new FaultyClient(Bytes)
        {
            OnRequest = _ =>
            {
                stop.CancelAfter(TimeSpan.FromMilliseconds(50));
                return new Reply { Body = Body.Stalled, After = 10 };
            },
        };

        Assert.ThrowsAny<OperationCanceledException>(() => TryRead(client, 0, new byte[100], stop.Token));
        Assert.Equal(1, client.Requests);
    }

    [Fact]
    public async Task What_stalls_is_given_up_and_continued()
    {
        var client = new FaultyClient(Bytes) { OnRequest = number => number == 1 ? new Reply { Body = Body.Stalled, After = 10 } : null };
        var store = new RemoteStore(client, StoreAccess.Default, new HurriedClock());
        var bytes = new byte[100];

        Assert.True(await store.TryReadAsync(client.Object, 0, bytes, TestContext.Current.CancellationToken));
        Assert.Equal(Bytes[..100], bytes);
        Assert.Equal([new(0, 100), new(10, 90)], client.Ranges);
    }

    /// <summary>What is small takes no longer than an answer without content, so there may be more of it.</summary>
    [Theory]
    [InlineData(100_000, 3)]
    [InlineData(10, 24)]
    public async Task No_more_requests_run_than_allowed(int length, int limit)
    {
        var client = new FaultyClient(new byte[200_000]) { Latency = TimeSpan.FromMilliseconds(20) };
        var store = new RemoteStore(client, new StoreAccess { ThrottleLimit = 3 });

        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => store.TryReadAsync(client.Object, i, new byte[length], TestContext.Current.CancellationToken)));

        Assert.InRange(client.MostAtOnce, 2, limit);
    }

    private static StoreException Busy(TimeSpan? retryAfter = null) => new(StoreFailure.Transient, "The store is busy.") { RetryAfter = retryAfter };

    private byte[] Read(FaultyClient client, int offset, int length)
    {
        var bytes = new byte[length];
        Assert.True(TryRead(client, offset, bytes));
        return bytes;
    }

    private bool TryRead(FaultyClient client, int offset, byte[] bytes, CancellationToken? cancellationToken = null) =>
        new RemoteStore(client, StoreAccess.Default, _clock)
            .TryReadAsync(client.Object, offset, bytes, cancellationToken ?? TestContext.Current.CancellationToken).GetAwaiter().GetResult();

    /// <summary>For which a timeout is over after some milliseconds.</summary>
    private sealed class HurriedClock : TimeProvider
    {
        private const int Haste = 300;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Timer(System.CreateTimer(callback, state, dueTime / Haste, period));

        private sealed class Timer(ITimer timer) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime / Haste, period);

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }
}
