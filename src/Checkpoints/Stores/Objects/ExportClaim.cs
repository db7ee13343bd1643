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

    /// <summary>The id of the export that its objects are stored with.</summary>
    public string Run { get; }

    /// <summary>Renews it, before what can't be undone.</summary>
    /// <exception cref="IOException">Another export has removed it.</exception>
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

    /// <summary>Whether a claim belongs to a running export.</summary>
    public static bool IsAlive(StoredObject claim) => claim.Age < MaxAge;

    /// <returns>Null if another export has it.</returns>
    public static ExportClaim? TryTake(IObjectStore store, string key, CommitJournal journal)
    {
        var (run, bytes) = (Guid.NewGuid().ToString("N"), journal.ToBytes());
        return store.TryPut(key, bytes, run, replaces: null) is { } version ? new ExportClaim(store, key, run, bytes, version) : null;
    }

    /// <summary>Removes what a killed export has left, and its claim. Completed files stay.</summary>
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
                // The original error matters more, and the next export removes it.
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
                // Retried the next time: a claim expires only after several missed renewals.
            }
        }
    }
}
