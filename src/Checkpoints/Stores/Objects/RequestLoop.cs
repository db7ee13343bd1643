using System.Diagnostics.CodeAnalysis;

namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// The one loop that all requests to all stores pass through. It bounds how many run at the same time, gives up on those that stall, and repeats
/// those that can succeed if they are tried again.
/// </summary>
/// <param name="limit">The number of requests that run at the same time.</param>
/// <param name="time">The clock; that of tests need not wait.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore whose wait handle nobody asks for has nothing to release, and stores live as long as checkpoints do.")]
internal sealed class RequestLoop(int limit, TimeProvider? time = null)
{
    private const int MaxTries = 5;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _running = new(limit);
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>How long a store may be silent.</summary>
    public static TimeSpan IdleTimeout { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Runs a request until it succeeds, or can't.</summary>
    /// <param name="request">One try. It gets a clock to be set again by every sign of life, and whose token it passes on.</param>
    /// <param name="timeout">How long it may give no sign of life.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="StoreException">The store refuses, or has failed in every try.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<T> RunAsync<T>(Func<IdleClock, Task<T>> request, TimeSpan timeout, CancellationToken cancellationToken)
    {
        for (var number = 1; ; number++)
        {
            try
            {
                return await TryAsync(request, timeout, cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException e) when (e.Failure == StoreFailure.Transient)
            {
                if (number == MaxTries)
                {
                    throw new StoreException(StoreFailure.Refused, $"{e.Message} It was tried {MaxTries} times.", e);
                }

                await Task.Delay(DelayAfter(number, e.RetryAfter), _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<T> TryAsync<T>(Func<IdleClock, Task<T>> request, TimeSpan timeout, CancellationToken cancellationToken)
    {
        await _running.WaitAsync(cancellationToken).ConfigureAwait(false);

        try
        {
            using var clock = new IdleClock(timeout, _time, cancellationToken);

            try
            {
                return await request(clock).ConfigureAwait(false);
            }
            catch (Exception e) when (clock.HasExpired && e is OperationCanceledException or IOException or ObjectDisposedException)
            {
                throw new StoreException(StoreFailure.Transient, $"The store has been silent for {timeout.TotalSeconds:0} seconds.", e);
            }
            catch (Exception e) when (cancellationToken.IsCancellationRequested && e is not OperationCanceledException)
            {
                throw new OperationCanceledException(e.Message, e, cancellationToken);
            }
        }
        finally
        {
            _running.Release();
        }
    }

    /// <summary>Doubles, and is spread, so that the requests that failed together do not come back together.</summary>
    private static TimeSpan DelayAfter(int number, TimeSpan? wanted)
    {
        var delay = FirstDelay * Math.Pow(2, number - 1) * (0.5 + Random.Shared.NextDouble());
        var longest = wanted > delay ? wanted.Value : delay;
        return longest < MaxDelay ? longest : MaxDelay;
    }
}
