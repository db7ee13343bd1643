namespace Fairseq2Llama.Stores.Local;

/// <summary>A local folder that is exported to.</summary>
/// <param name="path">Its absolute path; it need not exist.</param>
/// <param name="isExported">Whether exports write files of a name.</param>
internal sealed class LocalDestination(string path, Func<string, bool> isExported) : IExportDestination
{
    private readonly string _path = Path.TrimEndingDirectorySeparator(path);

    public ICheckpointFolder Folder => new LocalFolder(_path);

    public bool IsUnfinished => (!Directory.Exists(_path) && Directory.Exists(StagingPath.Beside(_path))) || CommitJournal.IsIn(StagingPath.In(_path, []));

    public void RequireFolder(IEnumerable<string> names)
    {
        WindowsNames.Require(_path, names);

        for (var folder = _path; folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(folder))
            {
                var what = File.ResolveLinkTarget(folder, returnFinalTarget: true) is { Exists: false } ? "a broken link" : "a file";
                throw new CheckpointException(
                    CheckpointErrorCode.OutputExists, $"'{folder}' is {what}. Give a folder for the exported files.", _path);
            }
        }
    }

    public void RequireSpace(RequiredSpace space) => DiskSpace.Require(_path, space);

    public bool HasLeftovers(IReadOnlyCollection<int> shards) => StagingPath.Existing(_path, shards).Any();

    public bool CleanUp(IReadOnlyCollection<int> shards)
    {
        var isFinished = false;

        foreach (var folder in StagingPath.Existing(_path, shards).ToArray())
        {
            using var held = StagingLock.TryAcquire(folder);

            if (held is not null)
            {
                isFinished |= Leftover.CleanUp(folder, _path, isExported);
            }
        }

        return isFinished;
    }

    public IStagedFolder Begin(FolderChange change) => StagingFolder.Create(_path, change, isExported);

    public CheckpointException ToError(Exception cause, long length) => WriteErrors.Translate(cause, _path, length);
}
