using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama.Stores.Objects;

/// <summary>A place in a store that is exported to.</summary>
/// <param name="store">The store.</param>
/// <param name="key">The common beginning of the keys of the files; empty for the whole store.</param>
/// <param name="isExported">Whether exports write files of a name.</param>
/// <param name="cancellationToken">Stops what it does.</param>
internal sealed class ObjectDestination(RemoteStore store, string key, Func<string, bool> isExported, CancellationToken cancellationToken) : IExportDestination
{
    private string Prefix => key.Length == 0 ? "" : key + '/';

    public ICheckpointFolder Folder => new ObjectFolder(store, key, cancellationToken);

    public bool IsUnfinished => FindClaims([]).Any();

    /// <summary>A store can have an object and others below it. A path that names an object means that object.</summary>
    public void RequireFolder(IEnumerable<string> names)
    {
        bool isFile;

        try
        {
            isFile = key.Length > 0 && store.Find(key, cancellationToken) is not null;
        }
        catch (IOException e)
        {
            throw ToError(e, 0);
        }

        if (isFile)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists, $"'{Folder.Path}' is a file. Give a folder for the exported files.", Folder.Path);
        }
    }

    public void RequireSpace(RequiredSpace space)
    {
        using var scratch = ScratchFolder.Temporary();
        scratch.Require(space.Scratch);
    }

    public bool HasLeftovers(IReadOnlyCollection<int> shards) => FindClaims(shards).Any();

    public bool CleanUp(IReadOnlyCollection<int> shards)
    {
        foreach (var claim in FindClaims(shards).Where(claim => !ExportClaim.IsAlive(claim)))
        {
            ExportClaim.CleanUp(store, Prefix, claim, isExported, cancellationToken);
        }

        return false;
    }

    public IStagedFolder Begin(FolderChange change)
    {
        CleanUp(change.Shards);
        var own = Prefix + StagingPath.NameFor(change.Shards);
        var claim = ExportClaim.TryTake(store, own, CommitJournal.Of(change), cancellationToken) ?? throw AtWork();

        try
        {
            // Each claims the destination first and then looks for others: of two that come at once, at least one sees the other.
            if (FindClaims(change.Shards).Any(other => other.Key != own))
            {
                throw AtWork();
            }

            change.RequireAsPlanned();
            RequireSpace(change.Space);
            return new StagedObjects(store, Prefix, change, claim, cancellationToken);
        }
        catch
        {
            claim.Dispose();
            throw;
        }
    }

    public CheckpointException ToError(Exception cause, long length) => new(
        CheckpointErrorCode.WriteFailed, $"'{Folder.Path}' can't be written: {cause.Message.TrimEnd('.')}. Correct this, or choose another folder.", Folder.Path, cause);

    /// <summary>The claims that an export has to do with.</summary>
    private IEnumerable<StoredObject> FindClaims(IReadOnlyCollection<int> shards) =>
        from found in store.List(Prefix, cancellationToken).Objects
        let name = found.Key[Prefix.Length..]
        where StagingPath.Concerns(name, shards)
        let claim = store.Find(found.Key, cancellationToken)
        where claim is not null
        select claim;

    private CheckpointException AtWork() => new(
        CheckpointErrorCode.OutputExists, $"Another export is writing to '{Folder.Path}'. Wait until it has finished; if it was killed, wait two minutes.", Folder.Path);
}
