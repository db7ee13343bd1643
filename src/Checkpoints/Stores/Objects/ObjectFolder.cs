namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// Keys with a common beginning, seen as a folder. This folder, its parents and its subfolders show the state of the first request, because a
/// search for a checkpoint asks for the same things again and again.
/// </summary>
internal sealed class ObjectFolder : ICheckpointFolder
{
    private readonly Snapshot _snapshot;
    private readonly string _key;

    /// <param name="store">The store.</param>
    /// <param name="key">The key that an object would have in its place; empty for all of the store.</param>
    /// <param name="cancellationToken">Stops looking into it.</param>
    /// <param name="choice">The folders below it that are seen; by default, all.</param>
    public ObjectFolder(RemoteStore store, string key, CancellationToken cancellationToken, FolderChoice? choice = null)
        : this(new Snapshot(store, choice is null ? null : choice with { Folder = $"{key}/{choice.Folder}".Trim('/') }, cancellationToken), key)
    {
    }

    private ObjectFolder(Snapshot snapshot, string key)
    {
        _snapshot = snapshot;
        _key = key;
    }

    public string Path => _snapshot.Store.AddressOf(_key);

    public string Name => (_key.Length == 0 ? Path : _key).Split('/')[^1];

    public ICheckpointFolder? Parent => _key.Length == 0 ? null : new ObjectFolder(_snapshot, _key[..Math.Max(0, _key.LastIndexOf('/'))]);

    public bool Exists => _key.Length == 0 || (Listing is { } listing ? listing is { Objects.Count: > 0 } or { Prefixes.Count: > 0 } : StoredFile.At(this) is null);

    public bool CanList => Listing is not null;

    public IEnumerable<string> FileNames => Listing?.Objects.Select(found => found.Key[Prefix.Length..]).Where(name => name.Length > 0) ?? [];

    public IEnumerable<string> FolderNames => Listing?.Prefixes.Select(prefix => prefix[Prefix.Length..^1]).Where(name => name.Length > 0 && _snapshot.IsChosen(_key, name)) ?? [];

    public StringComparer Identities => StringComparer.Ordinal;

    private string Prefix => _key.Length == 0 ? "" : _key + '/';

    /// <summary>Null where the store does not say what is there.</summary>
    private ObjectListing? Listing => _snapshot.List(Prefix);

    public bool HasFile(string name) => _snapshot.Has(Prefix, name);

    public ICheckpointFolder Folder(string name) => new ObjectFolder(_snapshot, Prefix + name);

    public string PathOf(string name) => _snapshot.Store.AddressOf(Prefix + name);

    public string IdentityOf(string path) => path;

    public string PathWithin(string path) => path.StartsWith(Path + '/', StringComparison.Ordinal) ? path[(Path.Length + 1)..] : path;

    public long LengthOf(string name) => Find(name)?.Length ?? 0;

    public IByteSource SourceOf(string name) => Find(name) is { } found
        ? new ObjectSource(_snapshot.Store, found, _snapshot.CancellationToken)
        : throw new CheckpointException(
            CheckpointErrorCode.CheckpointNotFound, $"There is no file '{PathOf(name)}'. Check the spelling of the path.", PathOf(name));

    private StoredObject? Find(string name) => _snapshot.Find(Prefix, name);

    private sealed class Snapshot(RemoteStore store, FolderChoice? choice, CancellationToken cancellationToken)
    {
        private readonly object _lock = new();
        private readonly Dictionary<string, ObjectListing?> _listings = new(StringComparer.Ordinal);
        private readonly Dictionary<string, StoredObject?> _found = new(StringComparer.Ordinal);

        public RemoteStore Store => store;

        public CancellationToken CancellationToken => cancellationToken;

        public bool IsChosen(string folder, string name) => choice is null || choice.Folder != folder || choice.Names.Contains(name);

        public ObjectListing? List(string prefix)
        {
            lock (_lock)
            {
                if (!_listings.TryGetValue(prefix, out var listing))
                {
                    listing = _listings[prefix] = IsKnownToBeEmpty(prefix) ? new ObjectListing([], []) : TryList(prefix);
                }

                return listing;
            }
        }

        private ObjectListing? TryList(string prefix)
        {
            try
            {
                return store.List(prefix, cancellationToken);
            }
            catch (StoreException e) when (e.Failure == StoreFailure.Unlistable)
            {
                return null;
            }
        }

        /// <summary>Whether there is an object. If the listing is known, no request is needed.</summary>
        public bool Has(string prefix, string name) =>
            _listings.GetValueOrDefault(prefix) is { } listing ? listing.Objects.Any(found => found.Key == prefix + name) : Find(prefix, name) is not null;

        /// <summary>If the parent folder does not have it, no request is needed.</summary>
        private bool IsKnownToBeEmpty(string prefix) =>
            prefix.Length > 0 && _listings.TryGetValue(prefix[..(prefix[..^1].LastIndexOf('/') + 1)], out var around) && around is not null && !around.Prefixes.Contains(prefix);

        public StoredObject? Find(string prefix, string name)
        {
            lock (_lock)
            {
                var key = prefix + name;

                if (_found.TryGetValue(key, out var found))
                {
                    return found;
                }

                var listed = _listings.GetValueOrDefault(prefix) is { } listing ? listing.Objects.FirstOrDefault(item => item.Key == key) : store.Find(key, cancellationToken);
                return _found[key] = listed is { Length: StoredObject.UnknownLength } ? store.Find(key, cancellationToken) : listed;
            }
        }
    }
}
