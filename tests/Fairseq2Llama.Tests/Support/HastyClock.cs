namespace Fairseq2Llama.Tests.Support;

/// <summary>A clock on which any time is over at once, except where it is said to be slow: what waits before it tries again need not wait in tests.</summary>
internal sealed class HastyClock : TimeProvider
{
    /// <summary>What was waited for.</summary>
    public List<TimeSpan> Delays { get; } = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        // Timeouts are longer than any wait before another try with a server that says nothing of one.
        if (dueTime >= Fairseq2Llama.Stores.Objects.RequestLoop.IdleTimeout)
        {
            return System.CreateTimer(callback, state, dueTime, period);
        }

        lock (Delays)
        {
            Delays.Add(dueTime);
        }

        return System.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
