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
    private readonly RemoteStore _store;
    private readonly string _key;
    private readonly byte[] _journal;
    private readonly Timer _timer;
    private string? _version;

    private ExportClaim(RemoteStore store, string key, string run, byte[] journal, string version)
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
    public static ExportClaim? TryTake(RemoteStore store, string key, CommitJournal journal, CancellationToken cancellationToken)
    {
        // The id keeps two claims apart in stores whose ETags are made of the content.
        var run = Guid.NewGuid().ToString("N");
        byte[] bytes = [.. Encoding.ASCII.GetBytes($"{run}\n"), .. journal.ToBytes()];
        return TryPut(store, key, bytes, run, replaces: null, cancellationToken) is { } version ? new ExportClaim(store, key, run, bytes, version) : null;
    }

    /// <summary>Removes what a killed export has left, and its claim. Completed files stay.</summary>
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
        var placed = CommitJournal.Parse(journal, store.AddressOf(claim.Key), isExported).Steps
            .Where(step => step.Action == CommitAction.Place)
            .Select(step => prefix + step.Name)
            .ToArray();
        var own = FindOf(claim.Run, store, placed, cancellationToken);

        foreach (var found in own.Length < placed.Length ? own : [])
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
        [.. keys.Select(key => store.Find(key, cancellationToken)).OfType<StoredObject>().Where(found => found.Run == run)];

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
                _store.TryDelete(_key, version, CancellationToken.None);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The original error matters more, and the next export removes it.
            }
        }
    }

    /// <summary>What is there unexpectedly may be its own: if a reply is lost, the second request finds what the first one made.</summary>
    private static string? TryPut(RemoteStore store, string key, byte[] bytes, string run, string? replaces, CancellationToken cancellationToken) =>
        store.TryPut(key, bytes, run, replaces, cancellationToken)
        ?? (store.Find(key, cancellationToken) is { } found && found.Run == run ? found.Version : null);

    private void Renew()
    {
        lock (_lock)
        {
            try
            {
                _version = _version is null ? null : TryPut(_store, _key, _journal, Run, _version, CancellationToken.None);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Retried the next time: a claim expires only after several missed renewals.
            }
        }
    }
}
