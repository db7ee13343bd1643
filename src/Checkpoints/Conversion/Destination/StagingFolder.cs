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
    private readonly bool _isBeside;
    private readonly NewFolders _created = new();
    private StagingLock? _lock;
    private bool _isCommitted;

    private StagingFolder(ConversionPlan plan)
    {
        _plan = plan;

        // Of several jobs any may be the first, so they all put their files into a folder that is there already.
        _isBeside = plan.Output.ShardIndex.IsEmpty && !Directory.Exists(plan.DestinationPath);
        Path = _isBeside ? StagingPath.Beside(plan.DestinationPath)
            : plan.Output.ShardIndex.IsEmpty ? StagingPath.In(plan.DestinationPath)
            : StagingPath.In(plan.DestinationPath, plan.Output.ShardIndex);
    }

    /// <summary>The folder; whatever is written right into it is gone in the end.</summary>
    public string Path { get; }

    /// <summary>Makes it, and cleans up after exports that were killed.</summary>
    /// <exception cref="CheckpointException">Another export is at work, or was since this one was planned; or there is too little room.</exception>
    public static StagingFolder Create(ConversionPlan plan)
    {
        var staging = new StagingFolder(plan);

        try
        {
            staging.Enter();
        }
        catch
        {
            staging.Dispose();
            throw;
        }

        if (staging._isBeside && Directory.Exists(plan.DestinationPath))
        {
            staging.Dispose();
            return Create(plan);
        }

        return staging;
    }

    /// <summary>Where a file is to be written.</summary>
    public string PathOf(PlannedFile file) => System.IO.Path.Combine(FolderCommit.NewIn(Path), file.Name);

    /// <summary>Puts everything in place.</summary>
    /// <exception cref="CheckpointException">Another export was faster.</exception>
    public void Commit()
    {
        if (_lock is not { IsHeld: true })
        {
            throw new IOException($"'{Path}' was removed meanwhile.");
        }

        if (_plan.Flush)
        {
            DiskFlush.Folder(FolderCommit.NewIn(Path));
        }

        if (_isBeside)
        {
            MoveAsOne();
        }
        else
        {
            new FolderCommit(Path, _plan.DestinationPath).Run(CommitNote.Of(_plan), _plan.Flush);
        }

        _isCommitted = true;
    }

    /// <summary>Takes away what is not the result. Never throws: what went wrong before matters more.</summary>
    public void Dispose()
    {
        if (_lock is { IsHeld: true } && (_isCommitted || !CommitNote.IsIn(Path)))
        {
            Leftover.RemoveContent(Path);
        }

        _lock?.Dispose();

        if (!_isCommitted)
        {
            _created.Discard();
        }
    }

    private void Enter()
    {
        var destination = _plan.DestinationPath;

        _created.Create(_isBeside ? System.IO.Path.GetDirectoryName(destination) : destination);
        _lock = StagingLock.TryAcquire(Path) ?? throw AtWork();
        Leftover.CleanUp(Path, destination);

        // Each locks its own first and then looks for others: of two that come at once, at least one sees the other.
        foreach (var other in StagingPath.Existing(destination, _plan.Output.ShardIndex).Where(folder => folder != Path).ToArray())
        {
            using var theirs = StagingLock.TryAcquire(other, Patience) ?? throw AtWork();
            Leftover.CleanUp(other, destination);
        }

        if (!_isBeside)
        {
            DestinationFolder.RequireAsPlanned(_plan);
        }

        DiskSpace.Require(destination, _plan.Files);
        Directory.CreateDirectory(FolderCommit.NewIn(Path));
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
            // The folder that names it, and those that name that one as far as they are new.
            foreach (var folder in _created.Paths.Prepend(destination).Select(System.IO.Path.GetDirectoryName).OfType<string>())
            {
                DiskFlush.Folder(folder);
            }
        }
    }

    private CheckpointException AtWork() => new(
        CheckpointErrorCode.OutputExists,
        $"Another export is writing to '{_plan.DestinationPath}'; wait until it has finished.",
        _plan.DestinationPath);
}
