using Fairseq2Llama.Native;

namespace Fairseq2Llama.Conversion.Destination;

/// <summary>
/// Where the result is prepared, on the file system of the destination. Only when all of it is there is it put in place; whatever
/// happens before, the destination is as it was.
/// </summary>
internal sealed class StagingFolder : IDisposable
{
    /// <summary>How long others may take to clean up what a killed export has left before they are taken for an export.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly ConversionPlan _plan;
    private readonly Way _way;
    private readonly NewFolders _created = new();
    private StagingLock? _lock;
    private bool _isCommitted;

    private StagingFolder(ConversionPlan plan, Way way)
    {
        _plan = plan;
        _way = way;
        Path = way != Way.FileByFile ? StagingPath.Beside(plan.DestinationPath)
            : plan.Output.ShardIndex.IsEmpty ? StagingPath.In(plan.DestinationPath)
            : StagingPath.In(plan.DestinationPath, plan.Output.ShardIndex);
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

    /// <summary>False where the file system has no locks, so that nothing keeps another export from writing to the same destination.</summary>
    public bool IsExclusive => _lock is { IsExclusive: true };

    /// <summary>The folder; whatever is written right into it is gone in the end.</summary>
    public string Path { get; }

    /// <summary>Makes it, and cleans up after exports that were killed.</summary>
    /// <exception cref="CheckpointException">Another export is at work, or was since this one was planned; or there is too little room.</exception>
    public static StagingFolder Create(ConversionPlan plan)
    {
        // Of several jobs any may be the first, so they all put their files into a folder that is there already.
        var way = !plan.Output.ShardIndex.IsEmpty ? Way.FileByFile
            : !Directory.Exists(plan.DestinationPath) ? Way.Rename
            : FolderExchange.CanReplace(plan) ? Way.Exchange
            : Way.FileByFile;

        return TryCreate(plan, way) ?? TryCreate(plan, Way.FileByFile)!;
    }

    /// <returns>Null where that way turns out not to be open.</returns>
    private static StagingFolder? TryCreate(ConversionPlan plan, Way way)
    {
        var staging = new StagingFolder(plan, way);

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

    /// <summary>Where a file is to be written.</summary>
    public string PathOf(PlannedFile file) => System.IO.Path.Combine(FolderCommit.NewIn(Path), file.Name);

    /// <summary>Puts everything in place.</summary>
    /// <exception cref="CheckpointException">Another export was faster.</exception>
    public void Commit()
    {
        if (_lock is not { IsHeld: true })
        {
            throw new IOException($"'{Path}' was removed or replaced meanwhile.");
        }

        if (_plan.Flush)
        {
            DiskFlush.Folder(FolderCommit.NewIn(Path));
        }

        switch (_way)
        {
            case Way.Rename:
                MoveAsOne();
                break;

            case Way.Exchange:
                FolderExchange.Run(FolderCommit.NewIn(Path), _plan.DestinationPath, _plan.Flush);
                break;

            case Way.FileByFile:
                new FolderCommit(Path, _plan.DestinationPath).Run(CommitJournal.Of(_plan), _plan.Flush);
                break;
        }

        _isCommitted = true;
    }

    /// <summary>Takes away what is not the result. Never throws: what went wrong before matters more.</summary>
    public void Dispose()
    {
        if (_lock is { IsHeld: true } && (_isCommitted || !CommitJournal.IsIn(Path)))
        {
            Leftover.RemoveContent(Path, _plan.DestinationPath);
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
        var destination = _plan.DestinationPath;

        _created.Create(_way == Way.Rename ? System.IO.Path.GetDirectoryName(destination) : destination);
        _lock = StagingLock.TryAcquire(Path) ?? throw AtWork();
        Leftover.CleanUp(Path, destination);

        // Each locks its own first and then looks for others: of two that come at once, at least one sees the other.
        foreach (var other in StagingPath.Existing(destination, _plan.Output.ShardIndex).Where(folder => folder != Path).ToArray())
        {
            using var theirs = StagingLock.TryAcquire(other, Patience) ?? throw AtWork();
            Leftover.CleanUp(other, destination);
        }

        if (_way == Way.Rename && Directory.Exists(destination))
        {
            return false;
        }

        if (_way != Way.Rename)
        {
            DestinationFolder.RequireAsPlanned(_plan);
        }

        if (_way == Way.Exchange && !FolderSwap.IsPossibleIn(Path))
        {
            return false;
        }

        RequiredSpace.Require(destination, _plan.Files);
        MakeFolderOfNew();
        return true;
    }

    private void MakeFolderOfNew()
    {
        var folder = FolderCommit.NewIn(Path);

        if (Directory.Exists(folder))
        {
            throw new IOException($"'{folder}' holds files of somebody else, and in '{_plan.DestinationPath}' there are others of the same names. Move them elsewhere.");
        }

        Directory.CreateDirectory(folder);
    }

    /// <summary>One rename, so that at no moment there is a part of it.</summary>
    private void MoveAsOne()
    {
        var destination = _plan.DestinationPath;

        try
        {
            Directory.Move(FolderCommit.NewIn(Path), destination);
        }
        catch (IOException) when (Directory.Exists(destination))
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists, $"'{destination}' was meanwhile made by somebody else. Choose another folder.", destination);
        }

        if (_plan.Flush)
        {
            FlushOrMoveBack(destination);
        }
    }

    private void FlushOrMoveBack(string destination)
    {
        try
        {
            // The folder that names it, and those that name that one as far as they are new.
            foreach (var folder in _created.Paths.Prepend(destination).Select(System.IO.Path.GetDirectoryName).OfType<string>())
            {
                DiskFlush.Folder(folder);
            }
        }
        catch (IOException)
        {
            Directory.Move(destination, FolderCommit.NewIn(Path));
            throw;
        }
    }

    private CheckpointException AtWork() => new(
        CheckpointErrorCode.OutputExists,
        $"Another export is writing to '{_plan.DestinationPath}'; wait until it has finished.",
        _plan.DestinationPath);
}
