using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A clock on which timeouts are over when they are told to be, and never because the machine is busy. What waits before it tries again need not wait.</summary>
internal sealed class StoppedClock : TimeProvider
{
    private readonly List<Timeout> _timeouts = [];
    private readonly List<TimeSpan> _delays = [];

    /// <summary>What was waited for.</summary>
    public IReadOnlyList<TimeSpan> Delays
    {
        get
        {
            lock (_delays)
            {
                return [.. _delays];
            }
        }
    }

    /// <summary>Ends all timeouts that are running.</summary>
    public void Expire()
    {
        Timeout[] running;

        lock (_timeouts)
        {
            running = [.. _timeouts];
        }

        Array.ForEach(running, timeout => timeout.Expire());
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime < RequestLoop.IdleTimeout)
        {
            lock (_delays)
            {
                _delays.Add(dueTime);
            }

            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }

        var timeout = new Timeout(this, () => callback(state));

        lock (_timeouts)
        {
            _timeouts.Add(timeout);
        }

        return timeout;
    }

    private sealed class Timeout(StoppedClock clock, Action expire) : ITimer
    {
        public void Expire() => expire();

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
            lock (clock._timeouts)
            {
                clock._timeouts.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
