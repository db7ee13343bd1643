using System.Text;
using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// An object that an export keeps in its destination while it runs. It keeps other exports out. If the export is killed, the next export finds
/// in its journal what it may have left. A running export renews its claim all the time; a claim that is not renewed belongs to a killed export.
/// </summary>
internal sealed class ExportClaim : IDisposable
{
    /// <summary>How often a claim is renewed.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(20);

    /// <summary>A claim of that age has missed several renewals.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(120);

    /// <summary>Written as HTTP asks for. No store gives an object such a version.</summary>
    private const string AnotherVersion = "\"another\"";

    private readonly object _lock = new();
    private readonly RemoteStore _store;
    private readonly string _key;
    private readonly byte[] _journal;
    private readonly CancellationToken _stop;
    private readonly TidyingTime _tidying;
    private readonly CancellationTokenSource _renewing;
    private readonly Timer _timer;
    private string? _version;
    private bool _isKept;
    private bool _isDisposed;

    private ExportClaim(RemoteStore store, string key, CommitJournal journal, CancellationToken stop)
    {
        // The id keeps two claims apart in stores whose ETags are made of the content.
        Run = Guid.NewGuid().ToString("N");
        _store = store;
        _key = key;
        _journal = [.. Encoding.ASCII.GetBytes($"{Run}\n"), .. journal.ToBytes()];
        _stop = stop;
        _tidying = new TidyingTime(stop);
        _renewing = CancellationTokenSource.CreateLinkedTokenSource(_tidying.End);
        var renewing = _renewing.Token;
        _timer = new Timer(_ => TidyingTime.Try(() => Renew(renewing)));
    }

    /// <summary>The id of the export that its objects are stored with.</summary>
    public string Run { get; }

    /// <summary>Cancelled some time after the export was stopped: what is not tidied up by then stays for the next export.</summary>
    public CancellationToken End => _tidying.End;

    /// <summary>Renews it, before what can't be undone.</summary>
    /// <exception cref="IOException">Another export has removed it.</exception>
    public void Require()
    {
        // Retried the next time: a claim expires only after several missed renewals.
        TidyingTime.Try(() => Renew(_stop));
        _stop.ThrowIfCancellationRequested();

        lock (_lock)
        {
            if (_version is null)
            {
                throw new IOException("another export assumed that this one was killed, because it showed no sign of life for minutes");
            }
        }
    }

    /// <summary>Leaves it where it is, for the next export to find what this one could not remove.</summary>
    public void Keep() => _isKept = true;

    /// <summary>Whether a claim belongs to a running export.</summary>
    public static bool IsAlive(StoredObject claim) => claim.Age < MaxAge;

    /// <param name="store">The store.</param>
    /// <param name="key">The key of the claim.</param>
    /// <param name="journal">What the export may leave.</param>
    /// <param name="stop">Stops the export.</param>
    /// <returns>Null if another export has it.</returns>
    public static ExportClaim? TryTake(RemoteStore store, string key, CommitJournal journal, CancellationToken stop)
    {
        var claim = new ExportClaim(store, key, journal, stop);

        try
        {
            claim._version = claim.Put(replaces: null, stop);

            if (claim._version is not null)
            {
                claim.RequireConditions();
                claim._timer.Change(Period, Period);
                return claim;
            }
        }
        catch
        {
            claim.Dispose();
            throw;
        }

        claim.Dispose();
        return null;
    }

    /// <summary>Removes what a killed export has left, and its claim. If all of its files were in place, it is finished instead.</summary>
    /// <param name="store">The store.</param>
    /// <param name="prefix">That of the destination.</param>
    /// <param name="claim">The claim.</param>
    /// <param name="isExported">Whether exports write files of a name.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="IOException">It can't be.</exception>
    public static void CleanUp(
        RemoteStore store, string prefix, StoredObject claim, Func<string, bool> isExported, CancellationToken cancellationToken)
    {
        var bytes = new byte[claim.Length];

        if (!store.TryReadAsync(claim, 0, bytes, cancellationToken).GetAwaiter().GetResult())
        {
            return;
        }

        var text = Encoding.UTF8.GetString(bytes);
        var journal = text[(text.IndexOf('\n') + 1)..];
        var steps = CommitJournal.Parse(journal, store.AddressOf(claim.Key), isExported).Steps.ToLookup(step => step.Action, step => prefix + step.Name);
        var placed = steps[CommitAction.Place].ToArray();
        var own = FindOf(claim.Run, store, placed, cancellationToken);
        var isComplete = own.Length == placed.Length;
        var leaving = isComplete ? Find(store, steps[CommitAction.Remove].Except(placed), cancellationToken) : own;

        foreach (var found in leaving)
        {
            store.TryDelete(found.Key, found.Version, cancellationToken);
        }

        foreach (var key in placed)
        {
            store.DiscardUploads(key, cancellationToken);
        }

        store.TryDelete(claim.Key, claim.Version, cancellationToken);
    }

    /// <summary>Those of some objects that an export has written.</summary>
    public static StoredObject[] FindOf(string? run, RemoteStore store, IEnumerable<string> keys, CancellationToken cancellationToken) =>
        [.. Find(store, keys, cancellationToken).Where(found => found.Run == run)];

    private static IEnumerable<StoredObject> Find(RemoteStore store, IEnumerable<string> keys, CancellationToken cancellationToken) =>
        keys.Select(key => store.Find(key, cancellationToken)).OfType<StoredObject>();

    /// <summary>Removes it. It is asked for, because a request may have succeeded whose reply never came.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _renewing.Cancel();

        lock (_lock)
        {
            if (!_isDisposed && !_isKept)
            {
                TidyingTime.Try(() =>
                {
                    if (FindOwn(End) is { } own)
                    {
                        _store.TryDelete(_key, own.Version, End);
                    }
                });
            }

            _isDisposed = true;
        }

        _renewing.Dispose();
        _tidying.Dispose();
    }

    /// <summary>Some stores ignore the conditions of requests. There, claims would keep nobody out, and exports would overwrite each other.</summary>
    private void RequireConditions()
    {
        if (Array.Exists([null, AnotherVersion], replaces => _store.TryPut(_key, _journal, Run, replaces, _stop) is not null))
        {
            throw new StoreException(
                StoreFailure.Refused,
                "The store ignores the conditions of requests (If-None-Match, If-Match), so that nothing keeps two exports to the same place apart. "
                + "Export to a local folder and copy that.");
        }
    }

    private void Renew(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_version is not null && !_isDisposed)
            {
                _version = Put(_version, cancellationToken);
            }
        }
    }

    /// <returns>
    /// Null if another export has it, or may take it by now. After a retry, what is there unexpectedly can be our own, and is as young as the retry.
    /// </returns>
    private string? Put(string? replaces, CancellationToken cancellationToken) =>
        _store.TryPut(_key, _journal, Run, replaces, cancellationToken) ?? (FindOwn(cancellationToken) is { } own && IsAlive(own) ? own.Version : null);

    private StoredObject? FindOwn(CancellationToken cancellationToken) =>
        _store.Find(_key, cancellationToken) is { } found && found.Run == Run ? found : null;
}
