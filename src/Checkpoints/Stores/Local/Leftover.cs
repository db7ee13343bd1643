namespace Fairseq2Llama.Stores.Local;

/// <summary>The leftovers of a finished or killed export in its staging folder.</summary>
internal static class Leftover
{
    /// <summary>Finishes putting files in place, and removes everything else except the lock, which the caller holds.</summary>
    /// <returns>Whether there was something to be finished.</returns>
    /// <exception cref="IOException">It can't be.</exception>
    public static bool CleanUp(string staging, string destination, Func<string, bool> isExported)
    {
        // An export to a new folder, or to one that is replaced as a whole, needs no journal, so one beside the destination is not of ours.
        var isToBeFinished = staging != StagingPath.Beside(destination) && CommitJournal.IsIn(staging);

        if (isToBeFinished)
        {
            new FolderCommit(staging, destination).Finish(isExported);
        }

        RemoveContent(staging, destination, isExported);
        return isToBeFinished;
    }

    /// <summary>Removes everything except the lock; never throws.</summary>
    public static void RemoveContent(string staging, string destination, Func<string, bool> isExported)
    {
        // The journal goes first: without the files that it names it could not be carried out.
        if (!CommitJournal.Remove(staging))
        {
            return;
        }

        foreach (var file in Discard.Entries(staging, Directory.EnumerateFiles).Where(file => !StagingLock.IsOne(file)))
        {
            Discard.File(file);
        }

        foreach (var folder in Discard.Entries(staging, Directory.EnumerateDirectories))
        {
            if (folder != FolderCommit.NewIn(staging) || TryBringBack(folder, destination, isExported))
            {
                Discard.Folder(folder);
            }
        }
    }

    /// <summary>
    /// Somebody may have put a file into a folder at the moment of its replacement. It is moved to where it would be a moment later.
    /// </summary>
    /// <returns>Whether only files of exports are left.</returns>
    private static bool TryBringBack(string folder, string destination, Func<string, bool> isExported)
    {
        if (new DirectoryInfo(folder).LinkTarget is not null)
        {
            return true;
        }

        var foreign = Discard.Entries(folder, Directory.EnumerateFileSystemEntries).Where(entry => !isExported(Path.GetFileName(entry))).ToArray();
        return foreign.Count(entry => Discard.TryMove(entry, Path.Combine(destination, Path.GetFileName(entry)))) == foreign.Length;
    }
}
