namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// Uploads that nobody sees yet. They become objects one by one, since no store can do more at once. The object that makes an earlier export
/// complete is removed first, and the one that makes this export complete is written last, so that no reader takes a mixture for a checkpoint.
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
    private bool _isCommitted;

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

        foreach (var other in name == _change.CommitMarker ? _pending.Keys.Except(_change.Shared).Where(other => other != name).ToArray() : [])
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

        foreach (var name in _change.Shared)
        {
            Share(name);
        }

        _isCommitted = true;
    }

    public void Dispose()
    {
        foreach (var pending in _pending.Values)
        {
            pending.Dispose();
        }

        if (_hasLeft && !_isCommitted)
        {
            TakeBack();
        }

        _claim.Dispose();
        Scratch.Dispose();
    }

    /// <summary>Asked for rather than remembered: the request may have succeeded and only the reply failed.</summary>
    private void TakeBack()
    {
        try
        {
            foreach (var found in ExportClaim.FindOf(_claim.Run, _store, _change.Placed.Select(name => _prefix + name), CancellationToken.None))
            {
                _store.TryDelete(found.Key, found.Version, CancellationToken.None);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The original error matters more.
        }
    }

    /// <summary>Removes the commit marker and stale files; all others are replaced in a single step each. If another job was faster, it has removed them.</summary>
    private void LetLeave()
    {
        if (_hasLeft)
        {
            return;
        }

        _claim.Require();
        _hasLeft = true;

        foreach (var name in _change.Leaving.Where(name => name == _change.CommitMarker || _change.Stale.Contains(name)).OrderBy(name => name != _change.CommitMarker))
        {
            if (_present.TryGetValue(name, out var old) && !_store.TryDelete(old.Key, old.Version, _cancellationToken) && _store.Find(old.Key, _cancellationToken) is not null)
            {
                throw WrittenMeanwhile(name);
            }
        }
    }

    private void Place(string name)
    {
        if (_placed.ContainsKey(name))
        {
            return;
        }

        var replaces = name == _change.CommitMarker ? null : _present.GetValueOrDefault(name)?.Version;
        _placed.Add(name, _pending[name].TryPlace(replaces) ?? throw WrittenMeanwhile(name));
    }

    /// <summary>Comes last, because it is not undone: another job may already rely on it.</summary>
    private void Share(string name)
    {
        if (_pending[name].TryPlace(replaces: null) is not null)
        {
            return;
        }

        var found = _store.Find(_prefix + name, _cancellationToken);
        var isThere = found is not null && WholeFile.IsEqual(new ObjectSource(_store, found, _cancellationToken), _pending[name].Content.Span);

        if (!isThere && (!_change.Replaced.Contains(name) || _pending[name].TryPlace(found?.Version) is null))
        {
            throw WrittenMeanwhile(name);
        }
    }

    private CheckpointException WrittenMeanwhile(string name) => new(
        CheckpointErrorCode.OutputExists,
        $"'{PathOf(name)}' was written by another export in the meantime. Choose another folder.",
        _store.AddressOf(_prefix.TrimEnd('/')));
}
