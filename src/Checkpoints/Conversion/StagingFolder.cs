namespace Fairseq2Llama.Conversion;

/// <summary>
/// A folder inside the destination, and so on its file system, in which the result is prepared. Only when all of it is there is it
/// moved into place; whatever happens before, the destination is as it was.
/// </summary>
internal sealed class StagingFolder : IDisposable
{
    public const string NamePrefix = ".fairseq2llama-";

    private const string ReplacedName = "replaced";

    private readonly string _destination;
    private readonly Stack<string> _created = new();
    private readonly Stack<(string From, string To)> _moves = new();
    private bool _isNeeded;

    private StagingFolder(string destination)
    {
        _destination = destination;
        Path = System.IO.Path.Combine(destination, NamePrefix + Guid.NewGuid().ToString("N")[..8]);
    }

    public string Path { get; }

    public static StagingFolder Create(string destination)
    {
        var staging = new StagingFolder(destination);

        try
        {
            staging.CreateFolders();
            return staging;
        }
        catch
        {
            staging.Dispose();
            throw;
        }
    }

    /// <summary>What to do about a staging folder that an export did not take away.</summary>
    public static string DescribeLeftover(string path)
    {
        var replaced = System.IO.Path.Combine(path, ReplacedName);

        return Directory.Exists(replaced) && Directory.EnumerateFileSystemEntries(replaced).Any()
            ? $"'{replaced}' holds files that an export was about to replace when it was ended. Look whether you need them, then remove '{path}'."
            : $"'{path}' belongs to an export that is still running or was killed. If none is running, remove it.";
    }

    public string PathOf(PlannedFile file) => System.IO.Path.Combine(Path, file.Name);

    /// <summary>Moves old files out of their place and new ones into it; if one can't be moved, all go back.</summary>
    public void Commit(ConversionPlan plan)
    {
        var old = Directory.CreateDirectory(System.IO.Path.Combine(Path, ReplacedName)).FullName;

        try
        {
            var shared = plan.Files.OfType<PlannedTextFile>().Where(file => file.IsShared).ToArray();

            foreach (var name in plan.ReplacedFiles.Except(shared.Select(file => file.Name)))
            {
                Move(System.IO.Path.Combine(_destination, name), System.IO.Path.Combine(old, name));
            }

            foreach (var name in plan.StaleFiles)
            {
                MoveIfThere(System.IO.Path.Combine(_destination, name), System.IO.Path.Combine(old, name));
            }

            foreach (var file in plan.Files.Except(shared))
            {
                Move(PathOf(file), System.IO.Path.Combine(_destination, file.Name));
            }

            foreach (var file in shared)
            {
                Share(file, mayReplace: plan.ReplacedFiles.Contains(file.Name));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            RollBack(e);
            throw;
        }

        _created.Clear();
    }

    /// <summary>Takes away what is not the result. Never throws: what went wrong before matters more.</summary>
    public void Dispose()
    {
        if (_isNeeded)
        {
            return;
        }

        _ = TryToDelete(Path, recursive: true);

        while (_created.TryPop(out var folder) && TryToDelete(folder, recursive: false))
        {
        }
    }

    private static bool TryToDelete(string folder, bool recursive)
    {
        try
        {
            Directory.Delete(folder, recursive);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void CreateFolders()
    {
        var missing = new Stack<string>();

        for (var folder = _destination; folder is not null && !Directory.Exists(folder); folder = System.IO.Path.GetDirectoryName(folder))
        {
            missing.Push(folder);
        }

        foreach (var folder in missing)
        {
            Directory.CreateDirectory(folder);
            _created.Push(folder);
        }

        Directory.CreateDirectory(Path);
    }

    /// <summary>Comes last, because it is not undone: another job may already rely on it.</summary>
    private void Share(PlannedTextFile file, bool mayReplace)
    {
        var path = System.IO.Path.Combine(_destination, file.Name);

        // Look first whether one is there and only then what it is: asked the other way around, a job that puts the same file there in
        // between would be taken for another export.
        var isThere = File.Exists(path);

        if (isThere && file.IsAlreadyAt(path))
        {
            return;
        }

        if (isThere && !mayReplace)
        {
            throw new IOException($"'{path}' was meanwhile written by another export.");
        }

        // A job that is as far as this one may put the same file there at this very moment.
        File.Move(PathOf(file), path, overwrite: true);
    }

    private void MoveIfThere(string from, string to)
    {
        try
        {
            Move(from, to);
        }
        catch (FileNotFoundException)
        {
            // Another job has removed it.
        }
    }

    private void Move(string from, string to)
    {
        File.Move(from, to);
        _moves.Push((from, to));
    }

    private void RollBack(Exception cause)
    {
        while (_moves.TryPop(out var move))
        {
            try
            {
                File.Move(move.To, move.From);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _isNeeded = true;
            }
        }

        if (_isNeeded)
        {
            throw new CheckpointException(
                CheckpointErrorCode.WriteFailed,
                $"'{_destination}' can't be written: {cause.Message} Not all files that were there could be put back; look for them in"
                + $" '{System.IO.Path.Combine(Path, ReplacedName)}'.",
                _destination,
                cause);
        }
    }
}
