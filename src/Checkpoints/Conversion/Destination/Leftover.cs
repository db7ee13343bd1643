namespace Fairseq2Llama.Conversion.Destination;

/// <summary>What an export that was killed has left in its staging folder.</summary>
internal static class Leftover
{
    /// <summary>Finishes what was being put in place, and takes everything else away but the lock, which the caller holds.</summary>
    /// <exception cref="IOException">It can't be.</exception>
    public static void CleanUp(string staging, string destination)
    {
        if (CommitNote.IsIn(staging))
        {
            new FolderCommit(staging, destination).Finish();
        }

        RemoveContent(staging);
    }

    /// <summary>Takes everything away but the lock; never throws.</summary>
    public static void RemoveContent(string staging)
    {
        if (!Directory.Exists(staging))
        {
            return;
        }

        // The note goes first: without the files that it names it could not be carried out.
        foreach (var file in Directory.EnumerateFiles(staging).Where(file => !StagingLock.IsOne(file)).OrderBy(file => !CommitNote.IsOne(file)))
        {
            Discard.File(file);
        }

        foreach (var folder in Directory.EnumerateDirectories(staging))
        {
            Discard.Folder(folder);
        }
    }
}
