namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// Uploads that nobody sees yet. They become objects one by one, since no store can do more at once. The object that makes an earlier export
/// complete is removed first, and the one that makes this export complete is written last, so that no reader takes a mixture for a checkpoint.
/// If it fails before it has replaced anything else, the earlier export gets its object back.
/// </summary>
internal sealed class StagedObjects : IStagedFolder
{
    private readonly RemoteStore _store;
    private readonly string _prefix;
    private readonly FolderChange _change;
    private readonly ExportClaim _claim;
    private readonly CancellationToken _cancellationToken;
    private readonly Dictionary<string, StoredObject> _present;
    private readonly Dictionary<string, PendingObject> _pending = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StoredObject> _placed = new(StringComparer.Ordinal);
    private bool _hasLeft;
    private bool _hasRemovedStale;
    private RemovedObject? _marker;
    private bool _isCommitted;
    private bool _isTidy = true;

    public StagedObjects(RemoteStore store, string prefix, FolderChange change, ExportClaim claim, CancellationToken cancellationToken)
    {
        _store = store;
        _prefix = prefix;
        _change = change;
        _claim = claim;
        _cancellationToken = cancellationToken;
        _present = store.List(prefix, cancellationToken).Objects.ToDictionary(found => found.Key[prefix.Length..], StringComparer.Ordinal);
    }

    public bool IsExclusive => true;

    public ScratchFolder Scratch { get; } = ScratchFolder.Temporary();

    public IFileSink Create(string name, long length, IReadOnlyList<UnchangedRange> unchanged)
    {
        var pending = new PendingObject(_store, _prefix + name, _claim.Run, length, unchanged, _cancellationToken);
        _pending.Add(name, pending);
        return pending.Sink;
    }

    public string PathOf(string name) => _store.AddressOf(_prefix + name);

    /// <summary>A store reads nothing that is not an object, so it becomes one now.</summary>
    public IByteSource SourceOf(string name)
    {
        LetLeave();

        foreach (var other in name == _change.CommitMarker ? _pending.Keys.Where(other => other != name).ToArray() : [])
        {
            Place(other);
        }

        Place(name);
        return new ObjectSource(_store, _placed[name], _cancellationToken);
    }

    public void Commit()
    {
        _claim.Require();
        LetLeave();

        foreach (var name in _change.Placed.OrderBy(name => name == _change.CommitMarker))
        {
            Place(name);
        }

        RemoveStale();
        _isCommitted = true;
        _isTidy = TidyingTime.Try(RemoveConsumed);
    }

    /// <summary>What can't be removed is left with the claim, in which the next export finds it.</summary>
    public void Dispose()
    {
        foreach (var pending in _pending.Values)
        {
            _isTidy &= pending.TryDiscard(_claim.End);
        }

        if (_hasLeft && !_isCommitted)
        {
            _isTidy &= TidyingTime.Try(TakeBack);
        }

        if (!_isTidy)
        {
            _claim.Keep();
        }

        _claim.Dispose();
        Scratch.Dispose();
    }

    /// <summary>Asked for rather than remembered: the request may have succeeded and only the reply failed.</summary>
    private void TakeBack()
    {
        var own = ExportClaim.FindOf(_claim.Run, _store, _change.Placed.Select(name => _prefix + name), _claim.End);

        foreach (var found in own)
        {
            _store.TryDelete(found.Key, found.Version, _claim.End);
        }

        // Other jobs may have replaced something, too.
        if (_change.Shards.IsEmpty && !_hasRemovedStale && !own.Any(found => _present.ContainsKey(found.Key[_prefix.Length..]) && found.Key != _marker?.Key))
        {
            _marker?.PutBack(_claim.End);
        }
    }

    /// <summary>Removes the commit marker. All other files are replaced in a single step each.</summary>
    private void LetLeave()
    {
        if (_hasLeft)
        {
            return;
        }

        _claim.Require();
        _hasLeft = true;

        if (_change.Leaving.Contains(_change.CommitMarker) && _present.TryGetValue(_change.CommitMarker, out var old))
        {
            _marker = RemovedObject.TryKeep(_store, old, _cancellationToken);
            Remove(_change.CommitMarker, old);
        }
    }

    /// <summary>Comes after everything that is likely to fail: as long as stale files are there, the earlier export can be made whole again.</summary>
    private void RemoveStale()
    {
        foreach (var name in _hasRemovedStale ? [] : _change.Stale.Where(name => name != _change.CommitMarker))
        {
            if (_present.TryGetValue(name, out var old))
            {
                _hasRemovedStale = true;
                Remove(name, old);
            }
        }
    }

    private void RemoveConsumed()
    {
        foreach (var name in _change.Consumed.Where(_present.ContainsKey))
        {
            _store.TryDelete(_present[name].Key, _present[name].Version, _cancellationToken);
        }
    }

    /// <summary>If another job was faster, it has removed it.</summary>
    private void Remove(string name, StoredObject old)
    {
        if (!_store.TryDelete(old.Key, old.Version, _cancellationToken) && _store.Find(old.Key, _cancellationToken) is not null)
        {
            throw WrittenMeanwhile(name);
        }
    }

    private void Place(string name)
    {
        if (_placed.ContainsKey(name))
        {
            return;
        }

        if (name == _change.CommitMarker)
        {
            RemoveStale();
        }

        var replaces = name == _change.CommitMarker ? null : _present.GetValueOrDefault(name)?.Version;
        _placed.Add(name, _pending[name].TryPlace(replaces) ?? throw WrittenMeanwhile(name));
    }

    private CheckpointException WrittenMeanwhile(string name) => new(
        CheckpointErrorCode.OutputExists,
        $"'{PathOf(name)}' was written by another export in the meantime. Choose another destination.",
        _store.AddressOf(_prefix.TrimEnd('/')));
}
