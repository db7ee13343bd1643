using Fairseq2Llama.Native;

namespace Fairseq2Llama.Stores.Local;

/// <summary>Puts an export in place in a folder that is there already, file by file: all of them, or none.</summary>
internal sealed class FolderCommit(string staging, string destination)
{
    private readonly string _new = NewIn(staging);
    private readonly string _replaced = Path.Combine(staging, "replaced");
    private readonly Stack<(string From, string To)> _moves = new();

    /// <summary>Where the new files are before they are moved.</summary>
    public static string NewIn(string staging) => Path.Combine(staging, "new");

    /// <summary>Moves old files out of their place and new ones into it; if one can't be moved, all go back.</summary>
    /// <param name="journal">The moves.</param>
    /// <param name="flush">Whether the files must have reached the disk.</param>
    /// <param name="isOfJob">
    /// Whether other jobs write into the destination at the same time. They may have replaced something already, so what made an earlier export
    /// complete does not go back.
    /// </param>
    /// <exception cref="CheckpointException">Another export has written the same files, or not all could be put back.</exception>
    public void Run(CommitJournal journal, bool flush, bool isOfJob)
    {
        LocalChange.CreateFolder(_replaced);

        try
        {
            journal.Write(staging, flush);

            if (flush)
            {
                DiskFlush.Folder(staging);
                DiskFlush.Folder(destination);
            }

            var placed = journal.Steps.Where(step => step.Action == CommitAction.Place).Select(step => step.Name).ToHashSet(RealPath.Comparer);

            foreach (var (action, name) in journal.Steps)
            {
                switch (action)
                {
                    case CommitAction.Remove:
                        Move(InPlace(name), Replaced(name), goesBack: !isOfJob || placed.Contains(name));
                        break;

                    case CommitAction.Place:
                        RequireAbsent(name);
                        Move(New(name), InPlace(name), goesBack: true);
                        break;
                }
            }

            if (flush)
            {
                // Before the journal goes.
                DiskFlush.Folder(destination);
            }
        }
        catch (Exception e)
        {
            RollBack(e, flush);
            throw;
        }
    }

    /// <summary>Carries out the rest of a commit that was killed.</summary>
    /// <param name="isExported">Whether exports write files of a name.</param>
    /// <exception cref="CheckpointException">Files are missing by now.</exception>
    public void Finish(Func<string, bool> isExported)
    {
        var steps = CommitJournal.Read(staging, isExported).Steps;
        var placed = steps.Where(step => step.Action == CommitAction.Place).Select(step => step.Name).ToArray();

        // Listed rather than looked for one by one: .NET takes a file that can't be inspected for one that is not there.
        var (isNew, isInPlace) = (NamesIn(_new), NamesIn(destination));

        if (placed.FirstOrDefault(name => !isNew.Contains(name) && !isInPlace.Contains(name)) is { } missing)
        {
            throw new CheckpointException(
                CheckpointErrorCode.WriteFailed,
                $"An export to '{destination}' was killed while its files were being put in place, and now '{missing}' is missing."
                + $" {Advice()}",
                destination);
        }

        foreach (var (action, name) in steps)
        {
            // Of a name that is removed and placed, the one in place is the old one only as long as the new one is still here.
            if (action == CommitAction.Remove && (!placed.Contains(name, RealPath.Comparer) || isNew.Contains(name)))
            {
                LocalChange.Delete(InPlace(name));
            }
            else if (action == CommitAction.Place && isNew.Contains(name))
            {
                LocalChange.Move(New(name), InPlace(name), overwrite: true);
            }
        }

        DiskFlush.Folder(destination);
    }

    private void RequireAbsent(string name)
    {
        if (File.Exists(InPlace(name)))
        {
            throw WrittenMeanwhile(name);
        }
    }

    private CheckpointException WrittenMeanwhile(string name) => new(
        CheckpointErrorCode.OutputExists, $"'{InPlace(name)}' was written by another export in the meantime. Choose another destination.", destination);

    private void Move(string from, string to, bool goesBack)
    {
        try
        {
            // There is nothing to overwrite, but without this .NET copies the file where the operating system refuses to rename it.
            LocalChange.Move(from, to, overwrite: true);
        }
        catch (FileNotFoundException) when (to == Replaced(Path.GetFileName(to)) && !NamesIn(destination).Contains(Path.GetFileName(to)))
        {
            // Another job has removed it.
            return;
        }

        if (goesBack)
        {
            _moves.Push((from, to));
        }
    }

    private void RollBack(Exception cause, bool flush)
    {
        var isComplete = true;

        while (_moves.TryPop(out var move))
        {
            try
            {
                LocalChange.Move(move.To, move.From, overwrite: false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                isComplete = false;
            }
        }

        if (!isComplete)
        {
            throw new CheckpointException(
                CheckpointErrorCode.WriteFailed,
                $"'{destination}' can't be written: {cause.Message.TrimEnd('.')}. Not all earlier files could be restored. {Advice()}",
                destination,
                cause);
        }

        // First of all: from now on there is nothing to be finished.
        CommitJournal.Remove(staging);

        if (flush && Directory.Exists(staging))
        {
            DiskFlush.Folder(staging);
        }
    }

    private static HashSet<string> NamesIn(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)).ToHashSet(RealPath.Comparer) : [];

    private string Advice() => $"Look for the files that you need in '{_new}' and '{_replaced}', then remove '{staging}'.";

    private string InPlace(string name) => Path.Combine(destination, name);

    private string New(string name) => Path.Combine(_new, name);

    private string Replaced(string name) => Path.Combine(_replaced, name);
}
