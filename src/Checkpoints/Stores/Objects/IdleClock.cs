namespace Fairseq2Llama.Stores.Objects;

/// <summary>Cancels a request that gives no sign of life.</summary>
internal sealed class IdleClock : IDisposable
{
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _expiry;
    private readonly CancellationTokenSource _either;

    /// <param name="timeout">How long it may be silent.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the request, too.</param>
    public IdleClock(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        _timeout = timeout;
        _expiry = new CancellationTokenSource(timeout, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_expiry.Token, cancellationToken);
    }

    /// <summary>Cancelled when the request has been silent for too long, or is no longer wanted.</summary>
    public CancellationToken Token => _either.Token;

    /// <summary>Whether it was silent for too long.</summary>
    public bool HasExpired => _expiry.IsCancellationRequested;

    /// <summary>There was a sign of life.</summary>
    public void Reset() => _expiry.CancelAfter(_timeout);

    public void Dispose()
    {
        _either.Dispose();
        _expiry.Dispose();
    }
}
