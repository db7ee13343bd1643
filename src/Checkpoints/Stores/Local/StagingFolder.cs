using Fairseq2Llama.Native;

namespace Fairseq2Llama.Stores.Local;

/// <summary>
/// The folder in which the result is prepared, on the file system of the destination. It is put in place only when it is complete. Whatever
/// happens before, the destination is unchanged.
/// </summary>
internal sealed class StagingFolder : IStagedFolder
{
    /// <summary>How long another process may take to clean up after a killed export before it counts as an export.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly string _destination;
    private readonly FolderChange _change;
    private readonly Func<string, bool> _isExported;
    private readonly Way _way;
    private readonly NewFolders _created = new();
    private readonly Dictionary<LocalFile, bool> _shares = [];
    private StagingLock? _lock;
    private bool _isCommitted;

    private StagingFolder(string destination, FolderChange change, Func<string, bool> isExported, Way way)
    {
        _destination = destination;
        _change = change;
        _isExported = isExported;
        _way = way;
        Path = way == Way.FileByFile ? StagingPath.In(destination, change.Shards) : StagingPath.Beside(destination);
    }

    /// <summary>How the result comes to its place.</summary>
    private enum Way
    {
        /// <summary>One rename of the folder, to where there is none.</summary>
        Rename,

        /// <summary>The folder and that of an earlier export swap their names.</summary>
        Exchange,

        /// <summary>Files are moved into a folder that is there.</summary>
        FileByFile,
    }

    /// <summary>False where the file system has no locks.</summary>
    public bool IsExclusive => _lock is { IsExclusive: true };

    /// <summary>The folder. Everything directly in it is removed in the end.</summary>
    public string Path { get; }

    public ScratchFolder Scratch => ScratchFolder.In(Path);

    /// <summary>Creates it, and cleans up after killed exports.</summary>
    /// <param name="destination">The absolute path of the folder that is exported to.</param>
    /// <param name="change">What it will become.</param>
    /// <param name="isExported">Whether exports write files of a name.</param>
    /// <exception cref="CheckpointException">Another export is running, or was since this one was planned; or there is too little room.</exception>
    public static StagingFolder Create(string destination, FolderChange change, Func<string, bool> isExported)
    {
        // Of several jobs any may be the first, so they all put their files into a folder that is there already.
        var way = !change.Shards.IsEmpty ? Way.FileByFile
            : !Directory.Exists(destination) ? Way.Rename
            : FolderExchange.CanReplace(destination, change) ? Way.Exchange
            : Way.FileByFile;

        return EnterOrDispose(new StagingFolder(destination, change, isExported, way))
            ?? EnterOrDispose(new StagingFolder(destination, change, isExported, Way.FileByFile))!;
    }

    /// <returns>Null where that way turns out not to be open.</returns>
    private static StagingFolder? EnterOrDispose(StagingFolder staging)
    {
        try
        {
            if (staging.TryEnter())
            {
                return staging;
            }
        }
        catch
        {
            staging.Dispose();
            throw;
        }

        staging.Dispose();
        return null;
    }

    /// <summary>Where a file is until it is put in place.</summary>
    public string PathOf(string name) => System.IO.Path.Combine(FolderCommit.NewIn(Path), name);

    public IFileSink Create(string name, long length, IReadOnlyList<UnchangedRange> unchanged) => CanShareAny(unchanged)
        ? OutputFile.CreateToShare(PathOf(name), length, _change.Flush)
        : OutputFile.Create(PathOf(name), length, _change.Flush);

    public IByteSource SourceOf(string name) => new LocalFile(PathOf(name));

    public void Commit()
    {
        if (_lock is not { IsHeld: true })
        {
            throw new IOException($"'{Path}' was removed or replaced in the meantime.");
        }

        if (_change.Flush)
        {
            DiskFlush.Folder(FolderCommit.NewIn(Path));
        }

        switch (_way)
        {
            case Way.Rename:
                MoveAsOne();
                break;

            case Way.Exchange:
                FolderExchange.Run(FolderCommit.NewIn(Path), _destination, _change.Flush);
                break;

            case Way.FileByFile:
                new FolderCommit(Path, _destination).Run(CommitJournal.Of(_change), _change.Flush, isOfJob: !_change.Shards.IsEmpty);
                break;
        }

        _isCommitted = true;
    }

    /// <summary>Removes everything but the result. Never throws: the original error matters more.</summary>
    public void Dispose()
    {
        if (_lock is { IsHeld: true } && (_isCommitted || !CommitJournal.IsIn(Path)))
        {
            Leftover.RemoveContent(Path, _destination, _isExported);
        }

        _lock?.Dispose();

        if (!_isCommitted)
        {
            _created.Discard();
        }
    }

    /// <returns>False where this way is not open.</returns>
    private bool TryEnter()
    {
        _created.Create(_way == Way.Rename ? System.IO.Path.GetDirectoryName(_destination) : _destination);
        _lock = StagingLock.TryAcquire(Path, Patience) ?? throw AtWork();
        Leftover.CleanUp(Path, _destination, _isExported);

        // Each locks its own first and then looks for others: of two that come at once, at least one sees the other.
        foreach (var other in StagingPath.Existing(_destination, _change.Shards).Where(folder => folder != Path).ToArray())
        {
            using var theirs = StagingLock.TryAcquire(other, Patience) ?? throw AtWork();
            Leftover.CleanUp(other, _destination, _isExported);
        }

        if (_way == Way.Rename && Directory.Exists(_destination))
        {
            return false;
        }

        if (_way != Way.Rename)
        {
            _change.RequireAsPlanned();
        }

        if (_way == Way.Exchange && !FolderSwap.IsPossibleIn(Path))
        {
            return false;
        }

        DiskSpace.Require(_destination, _change.Space);
        MakeFolderOfNew();
        return true;
    }

    private void MakeFolderOfNew()
    {
        var folder = FolderCommit.NewIn(Path);

        if (Directory.Exists(folder))
        {
            throw new IOException($"'{folder}' holds files that no export wrote, and '{_destination}' has others with the same names. Move them elsewhere.");
        }

        LocalChange.CreateFolder(folder);
    }

    /// <summary>One rename, so that at no moment there is a part of it.</summary>
    private void MoveAsOne()
    {
        try
        {
            LocalChange.MoveFolder(FolderCommit.NewIn(Path), _destination);
        }
        catch (IOException) when (Directory.Exists(_destination))
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists, $"'{_destination}' was created by another process in the meantime. Choose another folder.", _destination);
        }

        if (_change.Flush)
        {
            FlushOrMoveBack();
        }
    }

    private void FlushOrMoveBack()
    {
        try
        {
            // The folder that names it, and those that name that one as far as they are new.
            foreach (var folder in _created.Paths.Prepend(_destination).Select(System.IO.Path.GetDirectoryName).OfType<string>())
            {
                DiskFlush.Folder(folder);
            }
        }
        catch (IOException)
        {
            LocalChange.MoveFolder(_destination, FolderCommit.NewIn(Path));
            throw;
        }
    }

    /// <summary>Whether blocks can be shared with any of the sources. This is tried, because there is no other sure way. If so, no space is reserved.</summary>
    /// <remarks>Sharing never ran on Windows, and ReFS has reported it as done where zeros were left. There, only what is read back is shared.</remarks>
    private bool CanShareAny(IReadOnlyList<UnchangedRange> unchanged) => (_change.ReadsBack || !OperatingSystem.IsWindows())
        && unchanged.Where(BlockSharing.IsAligned).Select(range => range.Source).OfType<LocalFile>().Distinct().Any(CanShare);

    private bool CanShare(LocalFile source)
    {
        if (_shares.TryGetValue(source, out var known))
        {
            return known;
        }

        return _shares[source] = source.Length >= BlockSharing.BlockSize && TryShareFirst(source);
    }

    private bool TryShareFirst(LocalFile source)
    {
        try
        {
            using var probe = File.OpenHandle(
                System.IO.Path.Combine(Path, "shares-blocks"), FileMode.CreateNew, FileAccess.Write, options: FileOptions.DeleteOnClose);

            RandomAccess.SetLength(probe, BlockSharing.BlockSize);

            if (!BlockClone.IsConceivable(probe) || !source.TryFlush())
            {
                return false;
            }

            using var reader = source.Open();
            return reader.TryShare(0, BlockSharing.BlockSize, probe, 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CheckpointException)
        {
            // Copying will say what is wrong.
            return false;
        }
    }

    private CheckpointException AtWork() => new(
        CheckpointErrorCode.OutputExists,
        $"Another export is writing to '{_destination}'. Wait until it has finished.",
        _destination);
}
