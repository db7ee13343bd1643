namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// How long an export may tidy up. One that has failed has all the time that its requests take. One that was stopped has little, because somebody
/// waits for it; the next export does the rest.
/// </summary>
internal sealed class TidyingTime : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private readonly CancellationTokenSource _end = new();
    private readonly CancellationTokenRegistration _stopped;

    /// <param name="stop">Cancelled when the export is stopped.</param>
    public TidyingTime(CancellationToken stop) => _stopped = stop.Register(() => _end.CancelAfter(Patience));

    /// <summary>Cancelled when it is over.</summary>
    public CancellationToken End => _end.Token;

    /// <summary>Tries to do something; what has failed before matters more than an error of it.</summary>
    /// <returns>Whether it was done.</returns>
    public static bool Try(Action tidy)
    {
        try
        {
            tidy();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _stopped.Dispose();
        _end.Dispose();
    }
}
