using System.Text;
using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// An object that an export keeps in its destination as long as it is at work: whoever comes then stays out, and whoever comes after it was killed
/// learns of its journal what it may have left. It is renewed all the time; one that is not is of an export that is no more.
/// </summary>
internal sealed class ExportClaim : IDisposable
{
    /// <summary>How often a claim is renewed.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(20);

    /// <summary>A claim of that age was not renewed several times.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(120);

    private readonly object _lock = new();
    private readonly IObjectStore _store;
    private readonly string _key;
    private readonly byte[] _journal;
    private readonly Timer _timer;
    private string? _version;

    private ExportClaim(IObjectStore store, string key, string run, byte[] journal, string version)
    {
        _store = store;
        _key = key;
        _journal = journal;
        _version = version;
        Run = run;
        _timer = new Timer(_ => Renew(), null, Period, Period);
    }

    /// <summary>What the objects of the export tell of who has written them.</summary>
    public string Run { get; }

    /// <summary>Renews it, before what can't be undone.</summary>
    /// <exception cref="IOException">Somebody has taken it away.</exception>
    public void Require()
    {
        Renew();

        lock (_lock)
        {
            if (_version is null)
            {
                throw new IOException("another export assumed that this one was killed, because it showed no sign of life for minutes");
            }
        }
    }

    /// <summary>Whether a claim is of an export that is at work.</summary>
    public static bool IsAlive(StoredObject claim) => claim.Age < MaxAge;

    /// <returns>Null if another export has it.</returns>
    public static ExportClaim? TryTake(IObjectStore store, string key, CommitJournal journal)
    {
        var (run, bytes) = (Guid.NewGuid().ToString("N"), journal.ToBytes());
        return store.TryPut(key, bytes, run, replaces: null) is { } version ? new ExportClaim(store, key, run, bytes, version) : null;
    }

    /// <summary>Takes away what an export has left that was killed, and its claim. What it had brought to its end stays.</summary>
    /// <param name="store">The store.</param>
    /// <param name="prefix">That of the destination.</param>
    /// <param name="claim">The claim.</param>
    /// <param name="isExported">Whether exports write files of a name.</param>
    /// <exception cref="IOException">It can't be.</exception>
    public static void CleanUp(IObjectStore store, string prefix, StoredObject claim, Func<string, bool> isExported)
    {
        var bytes = new byte[claim.Length];

        if (!store.TryRead(claim, 0, bytes))
        {
            return;
        }

        var placed = CommitJournal.Parse(Encoding.UTF8.GetString(bytes), store.AddressOf(claim.Key), isExported).Steps
            .Where(step => step.Action == CommitAction.Place)
            .Select(step => prefix + step.Name)
            .ToArray();
        var own = FindOf(claim.Run, store, placed);

        foreach (var found in own.Length < placed.Length ? own : [])
        {
            store.TryDelete(found.Key, found.Version);
        }

        foreach (var key in placed)
        {
            store.DiscardUploads(key);
        }

        store.TryDelete(claim.Key, claim.Version);
    }

    /// <summary>Those of some objects that an export has written.</summary>
    public static StoredObject[] FindOf(string? run, IObjectStore store, IEnumerable<string> keys) =>
        [.. keys.Select(store.Find).OfType<StoredObject>().Where(found => found.Run == run)];

    public void Dispose()
    {
        _timer.Dispose();

        lock (_lock)
        {
            if (_version is not { } version)
            {
                return;
            }

            _version = null;

            try
            {
                _store.TryDelete(_key, version);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // What else went wrong matters more, and the next export takes it away.
            }
        }
    }

    private void Renew()
    {
        lock (_lock)
        {
            try
            {
                _version = _version is null ? null : _store.TryPut(_key, _journal, Run, _version);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Next time; there are several until it is taken for dead.
            }
        }
    }
}
